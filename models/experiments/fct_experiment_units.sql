with

people as (
    select * from {{ ref("int_experiments__people") }}
),

metrics as (
    select * from {{ ref("metrics") }}
),

outcomes as (
    select * from {{ ref("int_experiments__outcomes") }}
),

observed as (
    select
        -- ids
        people.experiment_key,
        people.person_id,
        -- attributes
        people.arm,
        metrics.metric_key,
        -- numbers
        cast(coalesce(outcomes.amount, 0) as double) as y,
        -- flags
        people.is_exposed_real,
        people.is_exposed_ghost,
        people.is_contaminated,
        people.is_mature
    from people
    cross join metrics
    left join outcomes
        on
            people.experiment_key = outcomes.experiment_key
            and people.person_id = outcomes.person_id
            and metrics.metric_key = outcomes.metric_key
    where people.exclusion_reason is null
)

select * from observed
