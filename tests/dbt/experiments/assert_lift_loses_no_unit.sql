-- Allocation versions are weighed, and none is left out of what is counted.
with

arm_totals as (
    select * from {{ ref("int_experiments__arm_totals") }}
),

lift as (
    select * from {{ ref("fct_lift_history") }}
),

totals as (
    select
        experiment_key,
        read_at,
        population,
        stratum,
        metric_key,
        arm,
        sum(count_units) as count_units
    from arm_totals
    group by experiment_key, read_at, population, stratum, metric_key, arm
)

select
    lift.experiment_key,
    lift.as_of,
    lift.population,
    lift.stratum,
    lift.metric_key,
    lift.arm,
    lift.count_treatment,
    lift.count_control,
    treatment.count_units as count_units_treatment,
    control.count_units as count_units_control
from lift
left join totals as treatment
    on
        lift.experiment_key = treatment.experiment_key
        and lift.as_of = treatment.read_at
        and lift.population = treatment.population
        and lift.stratum = treatment.stratum
        and lift.metric_key = treatment.metric_key
        and lift.arm = treatment.arm
left join totals as control
    on
        lift.experiment_key = control.experiment_key
        and lift.as_of = control.read_at
        and lift.population = control.population
        and lift.stratum = control.stratum
        and lift.metric_key = control.metric_key
        and lift.control_arm = control.arm
where
    coalesce(treatment.count_units, -1) <> lift.count_treatment
    or coalesce(control.count_units, -1) <> lift.count_control
