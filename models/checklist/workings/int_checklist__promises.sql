{%- set least_complete = var("checklist_least_complete_share") -%}
{%- set kept = heap_cadences() | selectattr("name", "equalto", "heap_user_properties") | list -%}
{#- What a message cannot do without, and what one of a journey cannot. -#}
{%- set keys = ["delivery_id", "message_id", "message_name", "intent_tier"] -%}
{%- set journey_keys = ["journey_entry_id", "minutes_since_trigger"] -%}
with

versions as (
    select * from {{ ref("dim_segment_versions") }}
),

message_sent as (
    select * from {{ ref("heap_cio_message_sent") }}
),
{% for event in standard_events() if event != "message_sent" %}
{{ event }} as (
    select * from {{ ref("heap_cio_" ~ event) }}
),
{% endfor %}
-- Each declared cadence is kept: a segment is told as often as the user properties are
placed_cadences as (
    select
        segment_key || ' v' || cast(version as {{ dbt.type_string() }}) || ' says ' || cadence as said,
        row_number() over (order by segment_key, version) as place,
        case cadence
            {%- for cadence in cadences() %}
            when '{{ cadence }}' then {{ loop.index }}
            {%- endfor %}
        end as cadence_place
    from versions
    where
        is_exported
        and valid_from <= {{ as_of() }}
        and (valid_to is null or valid_to > {{ as_of() }})
),

promised as (
    select
        '{{ kept[0].cadence if kept else "" }}' as kept_cadence,
        {% if kept and kept[0].cadence in cadences() -%}
        cast({{ cadences().index(kept[0].cadence) + 1 }} as {{ dbt.type_bigint() }}) as kept_place
        {%- else -%}
        cast(null as {{ dbt.type_bigint() }}) as kept_place
        {%- endif %}
),

counted_promises as (
    select
        promised.kept_cadence,
        count(placed_cadences.said) as count_segments,
        count(case when coalesce(promised.kept_place > placed_cadences.cadence_place, true) then 1 end)
            as count_broken,
        {{ listed_text(
            "case when coalesce(promised.kept_place > placed_cadences.cadence_place, true) "
            ~ "then placed_cadences.said end",
            "placed_cadences.place", ", "
        ) }} as broken
    from promised
    inner join placed_cadences on true
    group by promised.kept_cadence
),

-- Each standard event is recent, and not thin
dated_events as (
    {%- for event in standard_events() %}
    select
        {{ loop.index }} as place,
        '{{ event }}' as event_name,
        occurred_at
    from {{ event }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

counted_events as (
    select
        place,
        event_name,
        cast(
            floor({{ minutes_between("max(occurred_at)", as_of()) }} / 60.0) as {{ dbt.type_bigint() }}
        ) as count_hours,
        count(case when occurred_at >= {{ dbt.dateadd("day", -7, as_of()) }} then 1 end) as count_week,
        count(
            case
                when
                    occurred_at >= {{ dbt.dateadd("day", -35, as_of()) }}
                    and occurred_at < {{ dbt.dateadd("day", -7, as_of()) }}
                    then 1
            end
        ) / 4.0 as usual_week
    from dated_events
    group by place, event_name
),

judged_events as (
    select
        place,
        event_name || ' ' || {{ grouped_digits("count_week") }} as said,
        case
            when count_hours > {{ var("checklist_event_stale_hours") }}
                then event_name || ' last came ' || {{ grouped_digits("count_hours") }} || ' hours ago'
            when count_week < {{ var("checklist_event_least_share") }} * usual_week
                then
                    event_name || ' came ' || {{ grouped_digits("count_week") }} || ' times, usually '
                    || {{ fixed_decimals("usual_week", 1) }}
        end as fault
    from counted_events
),

listed_events as (
    select
        count(*) as count_events,
        count(fault) as count_faults,
        {{ listed_text("said", "place", "; ") }} as said,
        {{ listed_text("fault", "place", "; ") }} as faults
    from judged_events
),

-- Key properties are complete on every channel
channels as (
    select
        coalesce(channel, 'no channel') as channel,
        {%- for key in keys %}
        count({{ key }}) as count_{{ key }},
        {%- endfor %}
        {%- for key in journey_keys %}
        count(case when journey_id is not null then {{ key }} end) as count_{{ key }},
        {%- endfor %}
        count(*) as count_rows,
        count(journey_id) as count_of_journeys
    from message_sent
    group by coalesce(channel, 'no channel')
),

shares as (
    {%- for key in keys + journey_keys %}
    select
        channel,
        '{{ key }}' as property_name,
        cast(count_{{ key }} as double)
        / nullif({{ "count_of_journeys" if key in journey_keys else "count_rows" }}, 0) as complete_share
    from channels
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

ranked_shares as (
    select
        channel,
        complete_share,
        {{ shown_name("channel") }} || ' ' || property_name || ' '
        || {{ share_text("complete_share") }} as said,
        row_number() over (order by complete_share asc, channel asc, property_name asc) as place
    from shares
    where complete_share is not null
),

counted_shares as (
    select
        count(distinct channel) as count_channels,
        min(complete_share) as least_share,
        count(case when complete_share < {{ least_complete }} then 1 end) as count_faults,
        {{ listed_text(
            "case when complete_share < " ~ least_complete ~ " and place <= 4 then said end", "place", ", "
        ) }} as first_faults
    from ranked_shares
),

lines as (
    select
        'cadence_kept' as line,
        'Each declared cadence is kept' as title,
        cast(count_segments as {{ dbt.type_string() }}) || ' segments leave ' || kept_cadence
        || case when count_broken > 0 then '; ' || broken else '' end as measured,
        'no segment declares to be told more often than heap_user_properties is' as threshold,
        {{ literal("Change the cadence of heap_user_properties, or what the segment's yml promises.") }}
            as advice,
        cast(count_broken as double) as value,
        cast(0 as double) as bound,
        count_broken = 0 as is_met
    from counted_promises
    union all
    select
        'event_recency' as line,
        'Each standard event is recent, and not thin' as title,
        case
            when count_events = 0 then 'no event yet'
            else
                'in the last seven days ' || said
                || case when count_faults > 0 then '; but ' || faults else '' end
        end as measured,
        'none older than {{ var("checklist_event_stale_hours") }} hours, nor below '
        || {{ share_text(var("checklist_event_least_share")) }} || ' of its usual week' as threshold,
        'See fct_input_gaps for what stopped coming, and heap_refusals for what is held back.' as advice,
        cast(count_faults as double) as value,
        cast(0 as double) as bound,
        case when count_events > 0 then count_faults = 0 end as is_met
    from listed_events
    union all
    select
        'key_properties' as line,
        'Key properties are complete on every channel' as title,
        case
            when count_channels = 0 then 'no message yet'
            else
                cast(count_channels as {{ dbt.type_string() }}) || ' channels, the least complete '
                || {{ share_text("least_share") }}
                || case when count_faults > 0 then '; lacking: ' || first_faults else '' end
        end as measured,
        'at least ' || {{ share_text(least_complete) }} || ' of the messages of each channel have each'
            as threshold,
        'Load what names it (subjects, campaign_actions, message_names.csv), then build again.' as advice,
        least_share as value,
        cast({{ least_complete }} as double) as bound,
        case when count_channels > 0 then count_faults = 0 end as is_met
    from counted_shares
)

select * from lines
