{#- The four standard events, and the id that each cannot do without. -#}
{%- set needed_ids = {
    "journey_entered": "journey_entry_id",
    "message_sent": "delivery_id",
    "message_clicked": "delivery_id",
    "goal_converted": "coalesce(delivery_id, journey_id)",
} -%}
with

journey_entered as (
    select * from {{ ref("heap_cio_journey_entered") }}
),

message_sent as (
    select * from {{ ref("heap_cio_message_sent") }}
),

message_clicked as (
    select * from {{ ref("heap_cio_message_clicked") }}
),

goal_converted as (
    select * from {{ ref("heap_cio_goal_converted") }}
),

user_properties as (
    select * from {{ ref("heap_user_properties") }}
),

refusals as (
    select * from {{ ref("heap_refusals") }}
),

exposures as (
    select * from {{ ref("fct_message_exposures") }}
),

counted_events as (
    {%- for event, needed_id in needed_ids.items() %}
    select
        {{ loop.index }} as place,
        '{{ event }}' as event_name,
        count(*) as count_rows,
        count(*) - count(distinct publish_key) as count_twice,
        count(case when publish_key is null or {{ needed_id }} is null then 1 end) as count_without_id,
        count(segments) as count_segments,
        count(intent_tier) as count_tiers,
        count(arm) as count_arms
    from {{ event }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

-- The four standard events have rows and stable ids
judged_events as (
    select
        place,
        event_name || ' ' || {{ grouped_digits("count_rows") }} as said,
        case
            when count_rows = 0 then event_name || ' has no rows'
            when count_twice > 0 or count_without_id > 0
                then
                    event_name || ': ' || {{ grouped_digits("count_twice") }} || ' keys twice, '
                    || {{ grouped_digits("count_without_id") }} || ' rows without their id'
        end as fault
    from counted_events
),

listed_events as (
    select
        count(fault) as count_faults,
        {{ listed_text("said", "place", "; ") }} as said,
        {{ listed_text("fault", "place", "; ") }} as faults
    from judged_events
),

-- Exposure is told with or without a click
counted_exposures as (
    select count(*) as count_real
    from exposures
    where exposure_kind = 'real'
),

clicked_deliveries as (
    select distinct
        workspace_id,
        delivery_id
    from message_clicked
),

counted_sent as (
    select
        count(*) as count_told,
        count(case when clicked_deliveries.delivery_id is null then 1 end) as count_without_click
    from message_sent
    left join clicked_deliveries
        on
            message_sent.workspace_id = clicked_deliveries.workspace_id
            and message_sent.delivery_id = clicked_deliveries.delivery_id
),

counted_refusals as (
    select count(*) as count_refused
    from refusals
    where kind like '%message_sent'
),

accounted_exposures as (
    select
        counted_exposures.count_real,
        counted_sent.count_told,
        counted_sent.count_without_click,
        counted_refusals.count_refused
    from counted_exposures
    cross join counted_sent
    cross join counted_refusals
),

-- State and history are kept apart
counted_states as (
    select count(*) as count_users from user_properties
),

counted_stamps as (
    select
        cast(sum(count_rows) as double) as count_rows,
        sum(count_segments) as count_segments,
        sum(count_tiers) as count_tiers,
        sum(count_arms) as count_arms
    from counted_events
),

lines as (
    select
        'standard_events' as line,
        'The four standard events have rows and stable ids' as title,
        said || case when count_faults > 0 then '; ' || faults else '' end as measured,
        'rows in each; no row without key or id; no key twice' as threshold,
        'Check that the export holds subjects, deliveries and metrics, and that people resolve.' as advice,
        cast(count_faults as double) as value,
        cast(0 as double) as bound,
        count_faults = 0 as is_met
    from listed_events
    union all
    select
        'exposure_without_click' as line,
        'Exposure is told with or without a click' as title,
        case
            when count_real = 0 then 'nobody was shown a message'
            else
                {{ grouped_digits("count_real") }} || ' real exposures: '
                || {{ grouped_digits("count_told") }} || ' to be told ('
                || {{ grouped_digits("count_without_click") }} || ' without a click), '
                || {{ grouped_digits("count_refused") }} || ' refused'
        end as measured,
        'every real exposure is told or refused with a reason' as threshold,
        'heap_cio_message_sent must hold every real exposure; look for a filter in it.' as advice,
        cast(count_told + count_refused as double) as value,
        cast(count_real as double) as bound,
        case
            when count_real > 0
                then
                    count_real = count_told + count_refused
                    and (count_without_click > 0 or count_told = 0)
        end as is_met
    from accounted_exposures
    union all
    select
        'state_and_history' as line,
        'State and history are kept apart' as title,
        case
            when counted_stamps.count_rows = 0 then 'no events to stamp'
            else
                {{ grouped_digits("counted_states.count_users") }} || ' users with state; of '
                || {{ grouped_digits("counted_stamps.count_rows") }} || ' events '
                || {{ share_text("counted_stamps.count_segments / nullif(counted_stamps.count_rows, 0)") }}
                || ' carry segments, '
                || {{ share_text("counted_stamps.count_tiers / nullif(counted_stamps.count_rows, 0)") }}
                || ' a tier, '
                || {{ share_text("counted_stamps.count_arms / nullif(counted_stamps.count_rows, 0)") }}
                || ' an arm'
        end as measured,
        'current state on the user, what was true at the time stamped on every event' as threshold,
        'Stamps come from stays in the segments: check that they reach back over the history.' as advice,
        cast(null as double) as value,
        cast(null as double) as bound,
        case
            when counted_stamps.count_rows > 0
                then
                    counted_states.count_users > 0
                    and counted_stamps.count_tiers + counted_stamps.count_segments > 0
        end as is_met
    from counted_stamps
    cross join counted_states
)

select * from lines
