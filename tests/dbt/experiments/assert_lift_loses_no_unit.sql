-- Allocation versions are weighed, and none is left out of what is counted; no pair of arms either.
with

arm_totals as (
    select * from {{ ref("int_experiments__arm_totals") }}
),

arms as (
    select * from {{ ref("int_experiments__arms") }}
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
),

compared as (
    select distinct
        treated.experiment_key,
        treated.arm,
        treated.control_arm
    from arms as treated
    inner join arms as held
        on
            treated.experiment_key = held.experiment_key
            and treated.allocation_version = held.allocation_version
            and treated.control_arm = held.arm
    where treated.arm <> treated.control_arm
),

counted as (
    select
        treatment.experiment_key,
        treatment.read_at,
        treatment.population,
        treatment.stratum,
        treatment.metric_key,
        treatment.arm,
        compared.control_arm,
        treatment.count_units as count_units_treatment,
        control.count_units as count_units_control
    from totals as treatment
    inner join compared
        on
            treatment.experiment_key = compared.experiment_key
            and treatment.arm = compared.arm
    inner join totals as control
        on
            treatment.experiment_key = control.experiment_key
            and treatment.read_at = control.read_at
            and treatment.population = control.population
            and treatment.stratum = control.stratum
            and treatment.metric_key = control.metric_key
            and compared.control_arm = control.arm
)

select
    coalesce(lift.experiment_key, counted.experiment_key) as experiment_key,
    coalesce(lift.as_of, counted.read_at) as read_at,
    coalesce(lift.population, counted.population) as population,
    coalesce(lift.stratum, counted.stratum) as stratum,
    coalesce(lift.metric_key, counted.metric_key) as metric_key,
    coalesce(lift.arm, counted.arm) as arm,
    lift.count_treatment,
    lift.count_control,
    counted.count_units_treatment,
    counted.count_units_control
from lift
full outer join counted
    on
        lift.experiment_key = counted.experiment_key
        and lift.as_of = counted.read_at
        and lift.population = counted.population
        and lift.stratum = counted.stratum
        and lift.metric_key = counted.metric_key
        and lift.arm = counted.arm
        and lift.control_arm = counted.control_arm
where
    coalesce(counted.count_units_treatment, -1) <> coalesce(lift.count_treatment, -1)
    or coalesce(counted.count_units_control, -1) <> coalesce(lift.count_control, -1)
