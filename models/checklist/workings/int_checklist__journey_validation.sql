{%- set least_complete = var("checklist_least_complete_share") -%}
{%- set least_found = var("identity_minimum_rate") -%}
{%- set keys = ["journey_entry_id", "message_name", "intent_tier", "minutes_since_trigger"] -%}
with

subjects as (
    select * from {{ ref("int_checklist__subjects") }}
),

entries as (
    select * from {{ ref("fct_journey_entries") }}
),

persons as (
    select * from {{ ref("dim_persons") }}
),

exposures as (
    select * from {{ ref("fct_message_exposures") }}
),

message_sent as (
    select * from {{ ref("heap_cio_message_sent") }}
),

heap_events as (
    select * from {{ ref("stg_heap__events") }}
),

journeys as (
    select
        workspace_id,
        journey_id
    from subjects
    where journey_id is not null
),

-- Who entered is found in Heap
entrants as (
    select distinct
        workspace_id,
        journey_id,
        person_id
    from entries
),

counted_entrants as (
    select
        journeys.workspace_id,
        journeys.journey_id,
        count(persons.person_id) as count_persons,
        count(case when persons.is_publishable then 1 end) as count_identifiable,
        count(case when persons.match_status = 'matched' then 1 end) as count_matched,
        max(case when persons.is_known_in_heap is not null then 1 else 0 end) as has_read_back
    from journeys
    left join entrants
        on
            journeys.workspace_id = entrants.workspace_id
            and journeys.journey_id = entrants.journey_id
    left join persons on entrants.person_id = persons.person_id
    group by journeys.workspace_id, journeys.journey_id
),

rated_entrants as (
    select
        *,
        case
            when has_read_back = 1 then cast(count_matched as double) / nullif(count_identifiable, 0)
            else cast(count_identifiable as double) / nullif(count_persons, 0)
        end as found_share
    from counted_entrants
),

-- What was told of it arrived: among what is older than the last that was read back
read_back as (
    select distinct publish_key
    from heap_events
    where publish_key is not null
),

last_read as (
    select
        max(occurred_at) as last_read_at,
        count(publish_key) as count_ours
    from heap_events
),

counted_arrivals as (
    select
        message_sent.workspace_id,
        message_sent.journey_id,
        count(*) as count_told,
        count(read_back.publish_key) as count_arrived
    from message_sent
    inner join last_read
        on
            last_read.count_ours > 0
            and message_sent.occurred_at < last_read.last_read_at
    left join read_back on message_sent.publish_key = read_back.publish_key
    group by message_sent.workspace_id, message_sent.journey_id
),

-- Its messages are told whole
counted_properties as (
    select
        workspace_id,
        journey_id,
        count(*) as count_rows,
        least(
            {%- for key in keys %}
            cast(count({{ key }}) as double) / count(*){{ "," if not loop.last }}
            {%- endfor %}
        ) as least_share
    from message_sent
    group by workspace_id, journey_id
),

-- The timing report: each message's time since the trigger
timed_messages as (
    select
        workspace_id,
        journey_id,
        message_id,
        max(message_name) as message_name,
        count(*) as count_real,
        count(minutes_since_trigger) as count_timed,
        count(case when minutes_since_trigger < 0 then 1 end) as count_early,
        median(minutes_since_trigger) as median_minutes
    from exposures
    where
        exposure_kind = 'real'
        and journey_id is not null
    group by workspace_id, journey_id, message_id
),

ranked_messages as (
    select
        *,
        row_number() over (
            partition by workspace_id, journey_id
            order by median_minutes asc nulls last, message_id asc
        ) as place
    from timed_messages
),

counted_times as (
    select
        workspace_id,
        journey_id,
        sum(count_real) as count_real,
        sum(count_timed) as count_timed,
        sum(count_early) as count_early,
        {{ listed_text(
            "case when place <= 6 then " ~ shown_name("coalesce(nullif(message_name, ''), message_id)")
            ~ " || ' after ' || coalesce(" ~ fixed_decimals("median_minutes / 60.0", 1)
            ~ ", 'unknown') || ' h' end",
            "place", ", "
        ) }} as said
    from ranked_messages
    group by workspace_id, journey_id
),

lines as (
    select
        workspace_id,
        journey_id,
        'found_in_heap' as line,
        'Who enters is found in Heap' as title,
        case
            when count_persons = 0 then 'nobody entered'
            else
                {{ share_text("found_share") }} || ' of ' || {{ grouped_digits("count_persons") }}
                || case when has_read_back = 1 then ' persons matched' else ' persons have an identity' end
        end as measured,
        'at least ' || {{ share_text(least_found) }} as threshold,
        'See `counterfoil identity sample`: who of them does not meet, and by which identifier.' as advice,
        found_share as value,
        cast({{ least_found }} as double) as bound,
        found_share >= {{ least_found }} as is_met
    from rated_entrants
    union all
    select
        journeys.workspace_id,
        journeys.journey_id,
        'arrival' as line,
        'What Heap was told of it arrived' as title,
        case
            when counted_arrivals.count_told is null
                then 'no message was read back from Heap yet: load Heap Connect after a publish'
            else
                {{ grouped_digits("counted_arrivals.count_arrived") }} || ' of '
                || {{ grouped_digits("counted_arrivals.count_told") }} || ' messages read back'
        end as measured,
        'at least ' || {{ share_text(var("checklist_least_arrived_share")) }}
        || ' of what is older than the read-back' as threshold,
        'Publish first; then compare the missing keys with the dead letters and with the limits of Heap.'
            as advice,
        cast(counted_arrivals.count_arrived as double) / counted_arrivals.count_told as value,
        cast({{ var("checklist_least_arrived_share") }} as double) as bound,
        counted_arrivals.count_arrived
        >= {{ var("checklist_least_arrived_share") }} * counted_arrivals.count_told as is_met
    from journeys
    left join counted_arrivals
        on
            journeys.workspace_id = counted_arrivals.workspace_id
            and journeys.journey_id = counted_arrivals.journey_id
    union all
    select
        journeys.workspace_id,
        journeys.journey_id,
        'complete' as line,
        'Its messages are told with all that they need' as title,
        case
            when counted_properties.count_rows is null then 'no message is told'
            else
                {{ share_text("counted_properties.least_share") }} || ' of '
                || {{ grouped_digits("counted_properties.count_rows") }}
                || ' have the property that most lack'
        end as measured,
        'at least ' || {{ share_text(least_complete) }} || ' have {{ keys | join(", ") }}' as threshold,
        'Load what names it (subjects, campaign_actions, message_names.csv), then build again.' as advice,
        counted_properties.least_share as value,
        cast({{ least_complete }} as double) as bound,
        counted_properties.least_share >= {{ least_complete }} as is_met
    from journeys
    left join counted_properties
        on
            journeys.workspace_id = counted_properties.workspace_id
            and journeys.journey_id = counted_properties.journey_id
    union all
    select
        journeys.workspace_id,
        journeys.journey_id,
        'timing_report' as line,
        'Each message comes when it should' as title,
        case
            when counted_times.count_real is null then 'nothing was shown'
            else
                counted_times.said || '; time known of ' || {{ grouped_digits("counted_times.count_timed") }}
                || ' of ' || {{ grouped_digits("counted_times.count_real") }} || ', '
                || {{ grouped_digits("counted_times.count_early") }} || ' before the trigger'
        end as measured,
        'none before its trigger, and the time of at least ' || {{ share_text(least_complete) }}
        || ' is known' as threshold,
        'Compare the delays with the journey in Customer.io; a time that is not known lacks its entry.'
            as advice,
        cast(counted_times.count_early as double) as value,
        cast(0 as double) as bound,
        counted_times.count_early = 0
        and counted_times.count_timed >= {{ least_complete }} * counted_times.count_real as is_met
    from journeys
    left join counted_times
        on
            journeys.workspace_id = counted_times.workspace_id
            and journeys.journey_id = counted_times.journey_id
)

select * from lines
