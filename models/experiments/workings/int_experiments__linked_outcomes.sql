with

people as (
    select * from {{ ref("int_experiments__people") }}
),

behavior_events as (
    select * from {{ ref("int_identity__behavior_events") }}
),

recorded_events as (
    select * from {{ ref("stg_behavior__events") }}
),

people_versions as (
    select * from {{ ref("stg_customerio__people_versions") }}
),

metrics as (
    select * from {{ ref("metrics") }}
),

held_identifiers as (
    select distinct
        workspace_id,
        cio_id,
        customer_id as identifier
    from people_versions
    where customer_id is not null
    union
    select distinct
        workspace_id,
        cio_id,
        {{ lowered("email") }} as identifier
    from people_versions
    where email is not null
),

happened as (
    select distinct
        people.experiment_key,
        people.person_id,
        people.workspace_id,
        people.cio_id,
        metrics.metric_key,
        behavior_events.event_id,
        recorded_events.customer_id,
        {{ lowered("recorded_events.email") }} as email
    from behavior_events
    inner join metrics
        on
            behavior_events.value_behavior = metrics.behavior
            and (metrics.aggregation = 'sum' or behavior_events.behavior is not null)
    inner join people
        on
            behavior_events.person_id = people.person_id
            and behavior_events.occurred_at >= people.assigned_at
            and behavior_events.occurred_at < people.window_ends_at
    inner join recorded_events
        on
            behavior_events.event_id = recorded_events.event_id
            and behavior_events.event_name = recorded_events.event_name
            and coalesce(behavior_events.product_id, '') = coalesce(recorded_events.product_id, '')
    where people.exclusion_reason is null
),

-- An event recorded under an identifier that the assigned profile never held is seen only because
-- profiles were linked.
judged as (
    select
        happened.experiment_key,
        happened.metric_key,
        happened.event_id,
        happened.person_id,
        max(case when held_identifiers.identifier is null then 0 else 1 end) as is_own
    from happened
    left join held_identifiers
        on
            happened.workspace_id = held_identifiers.workspace_id
            and happened.cio_id = held_identifiers.cio_id
            and held_identifiers.identifier in (happened.customer_id, happened.email)
    group by
        happened.experiment_key, happened.metric_key, happened.event_id, happened.person_id
),

counted as (
    select
        experiment_key,
        metric_key,
        count(*) as count_outcomes,
        sum(1 - is_own) as count_linked_outcomes,
        sum(1 - is_own) / cast(count(*) as double) as linked_share
    from judged
    group by experiment_key, metric_key
)

select * from counted
