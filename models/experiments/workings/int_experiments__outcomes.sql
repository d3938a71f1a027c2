-- A negative order lowers what is summed, and is nothing that happened or can be counted. Sums are
-- wider than their terms: they always fit.
with

people as (
    select * from {{ ref("int_experiments__people") }}
),

behavior_events as (
    select * from {{ ref("int_identity__behavior_events") }}
),

metrics as (
    select * from {{ ref("metrics") }}
),

happened as (
    select
        people.experiment_key,
        people.person_id,
        metrics.metric_key,
        metrics.aggregation,
        behavior_events.event_id,
        behavior_events.value
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
    where people.exclusion_reason is null
),

summed as (
    select
        experiment_key,
        person_id,
        metric_key,
        cast(
            case
                when aggregation = 'any' then 1
                when aggregation = 'count' then count(distinct event_id)
                else coalesce(sum(value), 0)
            end as decimal(38, 2)
        ) as amount
    from happened
    group by experiment_key, person_id, metric_key, aggregation
)

select * from summed
