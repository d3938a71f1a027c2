{%- set least_shown = var("checklist_least_shown_share") -%}
with

subjects as (
    select * from {{ ref("int_checklist__subjects") }}
),

exposures as (
    select * from {{ ref("fct_message_exposures") }}
),

message_sent as (
    select * from {{ ref("heap_cio_message_sent") }}
),

journeys as (
    select
        workspace_id,
        journey_id
    from subjects
    where journey_id is not null
),

-- Messages reach people
reasons as (
    select
        workspace_id,
        journey_id,
        exposure_kind,
        not_exposed_reason,
        count(*) as count_rows
    from exposures
    where not_exposed_reason <> ''
    group by workspace_id, journey_id, exposure_kind, not_exposed_reason
),

ranked_reasons as (
    select
        *,
        row_number() over (
            partition by workspace_id, journey_id
            order by exposure_kind asc, count_rows desc, not_exposed_reason asc
        ) as place
    from reasons
),

listed_reasons as (
    select
        workspace_id,
        journey_id,
        {{ listed_text(
            shown_name("not_exposed_reason") ~ " || ' ' || " ~ grouped_digits("count_rows"), "place", ", "
        ) }} as said
    from ranked_reasons
    group by workspace_id, journey_id
),

counted_exposures as (
    select
        journeys.workspace_id,
        journeys.journey_id,
        count(case when exposures.exposure_kind = 'real' then 1 end) as count_real,
        count(case when exposures.exposure_kind = 'ghost' then 1 end) as count_ghosts,
        count(case when exposures.exposure_kind = 'none' then 1 end) as count_none,
        count(
            case
                when exposures.exposure_kind = 'real' and exposures.human_clicked_at is not null then 1
            end
        ) as count_clicked,
        count(
            case
                when exposures.exposure_kind = 'ghost' and exposures.human_clicked_at is not null then 1
            end
        ) as count_ghosts_clicked
    from journeys
    left join exposures
        on
            journeys.workspace_id = exposures.workspace_id
            and journeys.journey_id = exposures.journey_id
    group by journeys.workspace_id, journeys.journey_id
),

shown as (
    select
        counted_exposures.*,
        listed_reasons.said as listed_reasons,
        cast(counted_exposures.count_real as double)
        / nullif(counted_exposures.count_real + counted_exposures.count_none, 0) as shown_share
    from counted_exposures
    left join listed_reasons
        on
            counted_exposures.workspace_id = listed_reasons.workspace_id
            and counted_exposures.journey_id = listed_reasons.journey_id
),

-- Its exposures are told to Heap, and only they
counted_told as (
    select
        journeys.workspace_id,
        journeys.journey_id,
        count(message_sent.publish_key) as count_told,
        count(case when exposures.exposure_kind <> 'real' then 1 end) as count_wrong
    from journeys
    left join message_sent
        on
            journeys.workspace_id = message_sent.workspace_id
            and journeys.journey_id = message_sent.journey_id
    left join exposures
        on
            message_sent.workspace_id = exposures.workspace_id
            and message_sent.delivery_id = exposures.delivery_id
    group by journeys.workspace_id, journeys.journey_id
),

lines as (
    select
        workspace_id,
        journey_id,
        'exposure' as line,
        'Messages reach people' as title,
        {{ grouped_digits("count_real") }} || ' real, ' || {{ grouped_digits("count_ghosts") }}
        || ' ghosts, ' || {{ grouped_digits("count_none") }} || ' none'
        || case when listed_reasons is null then '' else ' (' || listed_reasons || ')' end as measured,
        'some, and at least ' || {{ share_text(least_shown) }} || ' of what was not held out' as threshold,
        'Look at the commonest reason first; a draft journey sends nothing.' as advice,
        shown_share as value,
        cast({{ least_shown }} as double) as bound,
        count_real > 0 and shown_share >= cast({{ least_shown }} as double) as is_met
    from shown
    union all
    select
        workspace_id,
        journey_id,
        'clicks' as line,
        'Nobody clicks what nobody was shown' as title,
        {{ grouped_digits("count_clicked") }} || ' human clicks on ' || {{ grouped_digits("count_real") }}
        || ' real exposures, ' || {{ grouped_digits("count_ghosts_clicked") }} || ' on trapped ones'
            as measured,
        'none on trapped deliveries' as threshold,
        'A clicked trap is no trap: check trap_action_id and trap_recipient.' as advice,
        cast(count_ghosts_clicked as double) as value,
        cast(0 as double) as bound,
        count_ghosts_clicked = 0 as is_met
    from shown
    union all
    select
        workspace_id,
        journey_id,
        'told' as line,
        'Its exposures are told to Heap, and only they' as title,
        {{ grouped_digits("count_told") }} || ' rows, ' || {{ grouped_digits("count_wrong") }}
        || ' not really shown' as measured,
        'some rows, none of them trapped' as threshold,
        'See heap_refusals for why rows may not be sent.' as advice,
        cast(count_wrong as double) as value,
        cast(0 as double) as bound,
        count_told > 0 and count_wrong = 0 as is_met
    from counted_told
)

select * from lines
