-- Whoever is assigned and not left out is a unit of every metric, in that arm; nobody else is.
with

assignments as (
    select * from {{ ref("fct_experiment_assignments") }}
),

units as (
    select * from {{ ref("fct_experiment_units") }}
),

metrics as (
    select * from {{ ref("metrics") }}
),

counted_assigned as (
    select
        assignments.experiment_key,
        assignments.arm,
        metrics.metric_key,
        count(*) as count_assigned
    from assignments
    cross join metrics
    where assignments.exclusion_reason is null
    group by assignments.experiment_key, assignments.arm, metrics.metric_key
),

counted_units as (
    select
        experiment_key,
        arm,
        metric_key,
        count(*) as count_units
    from units
    group by experiment_key, arm, metric_key
)

select
    coalesce(counted_assigned.experiment_key, counted_units.experiment_key) as experiment_key,
    coalesce(counted_assigned.arm, counted_units.arm) as arm,
    coalesce(counted_assigned.metric_key, counted_units.metric_key) as metric_key,
    counted_assigned.count_assigned,
    counted_units.count_units
from counted_assigned
full outer join counted_units
    on
        counted_assigned.experiment_key = counted_units.experiment_key
        and counted_assigned.arm = counted_units.arm
        and counted_assigned.metric_key = counted_units.metric_key
where coalesce(counted_assigned.count_assigned, 0) <> coalesce(counted_units.count_units, 0)
