-- The people of a lift are the units of its two arms whose window has ended, and all of them.
with

lift as (
    select * from {{ ref("fct_lift") }}
    where
        population = 'itt'
        and stratum = 'all'
),

units as (
    select * from {{ ref("fct_experiment_units") }}
),

mature as (
    select
        experiment_key,
        arm,
        metric_key,
        sum(case when is_mature then 1 else 0 end) as count_mature
    from units
    group by experiment_key, arm, metric_key
)

select
    lift.experiment_key,
    lift.metric_key,
    lift.arm,
    lift.count_treatment,
    lift.count_control,
    treated.count_mature as count_mature_treatment,
    held.count_mature as count_mature_control
from lift
left join mature as treated
    on
        lift.experiment_key = treated.experiment_key
        and lift.arm = treated.arm
        and lift.metric_key = treated.metric_key
left join mature as held
    on
        lift.experiment_key = held.experiment_key
        and lift.control_arm = held.arm
        and lift.metric_key = held.metric_key
where
    lift.count_treatment <> coalesce(treated.count_mature, 0)
    or lift.count_control <> coalesce(held.count_mature, 0)
