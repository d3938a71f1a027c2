-- The people of a lift are the units of its two arms whose window has ended, and all of them; every
-- arm that has a control beside it has a lift for every metric.
with

lift as (
    select * from {{ ref("fct_lift") }}
    where
        population = 'itt'
        and stratum = 'all'
),

arms as (
    select * from {{ ref("int_experiments__arms") }}
    where is_randomised
),

metrics as (
    select * from {{ ref("metrics") }}
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
),

compared as (
    select distinct
        treated.experiment_key,
        metrics.metric_key,
        treated.arm,
        treated.control_arm
    from arms as treated
    inner join arms as held
        on
            treated.experiment_key = held.experiment_key
            and treated.allocation_version = held.allocation_version
            and treated.control_arm = held.arm
    cross join metrics
    where treated.arm <> treated.control_arm
),

counted as (
    select
        compared.*,
        coalesce(treated.count_mature, 0) as count_mature_treatment,
        coalesce(held.count_mature, 0) as count_mature_control
    from compared
    left join mature as treated
        on
            compared.experiment_key = treated.experiment_key
            and compared.arm = treated.arm
            and compared.metric_key = treated.metric_key
    left join mature as held
        on
            compared.experiment_key = held.experiment_key
            and compared.control_arm = held.arm
            and compared.metric_key = held.metric_key
)

select
    coalesce(lift.experiment_key, counted.experiment_key) as experiment_key,
    coalesce(lift.metric_key, counted.metric_key) as metric_key,
    coalesce(lift.arm, counted.arm) as arm,
    lift.count_treatment,
    lift.count_control,
    counted.count_mature_treatment,
    counted.count_mature_control
from lift
full outer join counted
    on
        lift.experiment_key = counted.experiment_key
        and lift.arm = counted.arm
        and lift.control_arm = counted.control_arm
        and lift.metric_key = counted.metric_key
where
    coalesce(lift.count_treatment, -1) <> coalesce(counted.count_mature_treatment, -1)
    or coalesce(lift.count_control, -1) <> coalesce(counted.count_mature_control, -1)
