{%- set least_resolved = var("checklist_least_resolved_share") -%}
with

subjects as (
    select * from {{ ref("int_checklist__subjects") }}
),

entries as (
    select * from {{ ref("fct_journey_entries") }}
),

exposures as (
    select * from {{ ref("fct_message_exposures") }}
),

conversions as (
    select * from {{ ref("fct_goal_conversions") }}
),

journeys as (
    select
        workspace_id,
        journey_id,
        journey_name
    from subjects
    where journey_id is not null
),

-- People enter
counted_entries as (
    select
        journeys.workspace_id,
        journeys.journey_id,
        count(entries.journey_entry_id) as count_entries,
        count(entries.person_id) as count_resolved,
        count(distinct entries.person_id) as count_persons,
        coalesce(
            cast(count(entries.person_id) as double) / nullif(count(entries.journey_entry_id), 0), 0.0
        ) as resolved_share
    from journeys
    left join entries
        on
            journeys.workspace_id = entries.workspace_id
            and journeys.journey_id = entries.journey_id
    group by journeys.workspace_id, journeys.journey_id
),

-- The journey and its messages have names
messages as (
    select
        workspace_id,
        journey_id,
        message_id,
        nullif(max(message_name), '') as message_name
    from exposures
    group by workspace_id, journey_id, message_id
),

named_things as (
    select
        workspace_id,
        journey_id,
        'journey' as thing,
        '' as thing_id,
        'the journey' as said,
        journey_name is not null as is_named
    from journeys
    union all
    select
        workspace_id,
        journey_id,
        'message' as thing,
        message_id as thing_id,
        {{ shown_name("coalesce(message_id, 'a message without id')") }} as said,
        message_name is not null as is_named
    from messages
),

ranked_things as (
    select
        *,
        row_number() over (partition by workspace_id, journey_id order by thing, thing_id) as place
    from named_things
),

counted_names as (
    select
        journeys.workspace_id,
        journeys.journey_id,
        count(case when ranked_things.thing = 'message' then 1 end) as count_messages,
        count(case when ranked_things.thing = 'message' and ranked_things.is_named then 1 end) as count_named,
        count(case when not ranked_things.is_named then 1 end) as count_unnamed,
        {{ listed_text("case when not ranked_things.is_named then ranked_things.said end", "place", ", ") }}
            as unnamed_things
    from journeys
    inner join ranked_things
        on
            journeys.workspace_id = ranked_things.workspace_id
            and journeys.journey_id = ranked_things.journey_id
    group by journeys.workspace_id, journeys.journey_id
),

-- Its goal is reached by somebody
counted_conversions as (
    select
        journeys.workspace_id,
        journeys.journey_id,
        count(conversions.conversion_id) as count_conversions,
        count(conversions.person_id) as count_resolved
    from journeys
    left join conversions
        on
            journeys.workspace_id = conversions.workspace_id
            and journeys.journey_id = conversions.journey_id
    group by journeys.workspace_id, journeys.journey_id
),

lines as (
    select
        workspace_id,
        journey_id,
        'entries' as line,
        'People enter' as title,
        {{ grouped_digits("count_entries") }} || ' entries of ' || {{ grouped_digits("count_persons") }}
        || ' persons, ' || {{ share_text("resolved_share") }} || ' resolved' as measured,
        'some, and at least ' || {{ share_text(least_resolved) }} || ' resolve to a person' as threshold,
        'Without entries check the trigger and that subjects are exported; without persons, identity.'
            as advice,
        resolved_share as value,
        cast({{ least_resolved }} as double) as bound,
        count_entries > 0 and resolved_share >= cast({{ least_resolved }} as double) as is_met
    from counted_entries
    union all
    select
        workspace_id,
        journey_id,
        'names' as line,
        'The journey and its messages have names' as title,
        cast(count_named as {{ dbt.type_string() }}) || ' of '
        || cast(count_messages as {{ dbt.type_string() }}) || ' messages named'
        || case when count_unnamed > 0 then '; without: ' || unnamed_things else '' end as measured,
        'all' as threshold,
        'Export campaigns and campaign_actions, or name them in seeds/message_names.csv.' as advice,
        cast(count_unnamed as double) as value,
        cast(0 as double) as bound,
        count_unnamed = 0 as is_met
    from counted_names
    union all
    select
        workspace_id,
        journey_id,
        'conversions' as line,
        'Its goal is reached by somebody' as title,
        {{ grouped_digits("count_conversions") }} || ' conversions, '
        || {{ grouped_digits("count_resolved") }} || ' resolved' as measured,
        'some' as threshold,
        'Set a goal on the journey, or load the behavior that it is about.' as advice,
        cast(count_conversions as double) as value,
        cast(1 as double) as bound,
        count_conversions > 0 as is_met
    from counted_conversions
)

select * from lines
