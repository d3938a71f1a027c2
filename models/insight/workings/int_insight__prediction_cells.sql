-- Who ordered in the last days, by what was known before them. Both predictors are read at one instant, so
-- that nobody counts twice and nothing of what is predicted could be known.
{%- set then = dbt.dateadd("day", "-1 * " ~ var("insight_prediction_days"), as_of()) %}
with

persons as (
    select * from {{ ref("dim_persons") }}
    where first_seen_at < {{ then }}
),

behavior_events as (
    select * from {{ ref("int_identity__behavior_events") }}
),

orders as (
    select * from {{ ref("int_segments__orders") }}
),

intent_tiers as (
    select * from {{ ref("fct_intent_tiers") }}
),

heard as (
    select
        person_id,
        max(occurred_at) as last_event_at
    from behavior_events
    where occurred_at < {{ then }}
    group by person_id
),

ordered as (
    select distinct person_id
    from orders
    where ordered_at >= {{ then }}
),

read as (
    select
        persons.workspace_id,
        case intent_tiers.intent_tier when 'high' then 3 when 'warm' then 2 else 1 end as tier_level,
        case
            when {{ dbt.dateadd("day", var("insight_silence_days"), "heard.last_event_at") }} > {{ then }}
                then 2
            else 1
        end as silence_level,
        case when ordered.person_id is null then 0 else 1 end as is_ordered
    from persons
    left join intent_tiers
        on
            persons.person_id = intent_tiers.person_id
            and intent_tiers.entered_at <= {{ then }}
            and coalesce(intent_tiers.exited_at > {{ then }}, true)
    left join heard
        on persons.person_id = heard.person_id
    left join ordered
        on persons.person_id = ordered.person_id
),

counted as (
    select
        workspace_id,
        tier_level,
        silence_level,
        count(*) as count_persons,
        sum(is_ordered) as count_ordered,
        count(*) - sum(is_ordered) as count_others
    from read
    group by workspace_id, tier_level, silence_level
)

select * from counted
