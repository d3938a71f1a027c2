with

outcomes as (
    select * from {{ ref("int_experiments__outcomes") }}
),

contrasts as (
    select * from {{ ref("int_experiments__contrasts") }}
),

people as (
    select * from {{ ref("int_experiments__people") }}
),

-- Python holds what is shuffled in memory: nothing goes there that came after the last reading of a skewed
-- contrast, and with enough people none is skewed
skewed as (
    select
        experiment_key,
        metric_key,
        arm,
        control_arm,
        stratum,
        max(read_at) as last_read_at
    from contrasts
    where
        aggregation <> 'any'
        and is_comparable
        and is_skewed
    group by experiment_key, metric_key, arm, control_arm, stratum
),

both_arms as (
    select
        experiment_key,
        metric_key,
        arm,
        stratum,
        last_read_at
    from skewed
    union all
    select
        experiment_key,
        metric_key,
        control_arm as arm,
        stratum,
        last_read_at
    from skewed
),

shuffled as (
    select
        experiment_key,
        metric_key,
        arm,
        stratum,
        max(last_read_at) as last_read_at
    from both_arms
    group by experiment_key, metric_key, arm, stratum
),

joined as (
    select
        people.experiment_key,
        people.person_id,
        outcomes.metric_key,
        people.arm,
        case
            when people.intent_tier is not null then 'intent_tier=' || people.intent_tier
        end as stratum,
        people.allocation_version,
        cast(outcomes.amount as double) as y,
        people.is_ghost_reached,
        people.window_ends_at
    from outcomes
    inner join people
        on
            outcomes.experiment_key = people.experiment_key
            and outcomes.person_id = people.person_id
    where
        outcomes.amount <> 0
        and people.is_mature
),

asked_for as (
    select joined.*
    from joined
    left join shuffled as shuffled_all
        on
            joined.experiment_key = shuffled_all.experiment_key
            and joined.metric_key = shuffled_all.metric_key
            and joined.arm = shuffled_all.arm
            and shuffled_all.stratum = 'all'
    left join shuffled as shuffled_stratum
        on
            joined.experiment_key = shuffled_stratum.experiment_key
            and joined.metric_key = shuffled_stratum.metric_key
            and joined.arm = shuffled_stratum.arm
            and joined.stratum = shuffled_stratum.stratum
    where
        joined.window_ends_at <= shuffled_all.last_read_at
        or joined.window_ends_at <= shuffled_stratum.last_read_at
)

select * from asked_for
