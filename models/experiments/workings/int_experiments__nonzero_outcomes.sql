with

outcomes as (
    select * from {{ ref("int_experiments__outcomes") }}
),

metrics as (
    select * from {{ ref("metrics") }}
),

people as (
    select * from {{ ref("int_experiments__people") }}
),

joined as (
    select
        people.experiment_key,
        people.person_id,
        outcomes.metric_key,
        people.arm,
        case
            when people.intent_tier is not null then concat('intent_tier=', people.intent_tier)
        end as stratum,
        people.allocation_version,
        cast(outcomes.amount as double) as y,
        people.is_ghost_reached,
        people.window_ends_at
    from outcomes
    inner join metrics
        on outcomes.metric_key = metrics.metric_key
    inner join people
        on
            outcomes.experiment_key = people.experiment_key
            and outcomes.person_id = people.person_id
    where
        metrics.aggregation <> 'any'
        and outcomes.amount <> 0
        and people.is_mature
)

select * from joined
