-- What is summed for the lift is what analysts can sum from the public units.
with

arm_totals as (
    select * from {{ ref("int_experiments__arm_totals") }}
),

units as (
    select * from {{ ref("fct_experiment_units") }}
),

totals as (
    select
        experiment_key,
        metric_key,
        arm,
        sum(count_units) as count_units,
        sum(count_nonzero) as count_nonzero,
        sum(sum_y) as sum_y,
        sum(sum_yy) as sum_yy
    from arm_totals
    where
        is_current
        and population = 'itt'
        and stratum = 'all'
    group by experiment_key, metric_key, arm
),

summed as (
    select
        experiment_key,
        metric_key,
        arm,
        count(*) as count_units,
        sum(case when y <> 0 then 1 else 0 end) as count_nonzero,
        sum(y) as sum_y,
        sum(y * y) as sum_yy
    from units
    where is_mature
    group by experiment_key, metric_key, arm
)

select
    totals.*,
    summed.count_units as count_units_of_people
from totals
left join summed
    on
        totals.experiment_key = summed.experiment_key
        and totals.metric_key = summed.metric_key
        and totals.arm = summed.arm
where
    totals.count_units <> coalesce(summed.count_units, 0)
    or totals.count_nonzero <> coalesce(summed.count_nonzero, 0)
    or abs(totals.sum_y - coalesce(summed.sum_y, 0)) > 1e-9 * greatest(1.0, abs(totals.sum_y))
    or abs(totals.sum_yy - coalesce(summed.sum_yy, 0)) > 1e-9 * greatest(1.0, totals.sum_yy)
