-- The tier is frozen at the assignment: nobody is in two, and nobody is lost between them.
with

arm_totals as (
    select * from {{ ref("int_experiments__arm_totals") }}
    where is_current
),

people as (
    select * from {{ ref("int_experiments__people") }}
    where
        exclusion_reason is null
        and is_mature
        and intent_tier is null
),

untiered as (
    select
        experiment_key,
        arm,
        allocation_version,
        count(*) as count_units,
        sum(case when is_ghost_reached then 1 else 0 end) as count_ghost_reached
    from people
    group by experiment_key, arm, allocation_version
),

totals as (
    select
        experiment_key,
        population,
        metric_key,
        arm,
        allocation_version,
        sum(case when stratum = 'all' then count_units else 0 end) as count_units,
        sum(case when stratum <> 'all' then count_units else 0 end) as count_tiered
    from arm_totals
    group by experiment_key, population, metric_key, arm, allocation_version
)

select totals.*
from totals
left join untiered
    on
        totals.experiment_key = untiered.experiment_key
        and totals.arm = untiered.arm
        and totals.allocation_version = untiered.allocation_version
where
    totals.count_units <> totals.count_tiered + case
        when totals.population = 'itt' then coalesce(untiered.count_units, 0)
        else coalesce(untiered.count_ghost_reached, 0)
    end
