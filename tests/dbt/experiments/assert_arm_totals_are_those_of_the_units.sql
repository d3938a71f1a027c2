-- What is summed for the lift is what analysts can sum from the public units, and all of it.
with

arm_totals as (
    select * from {{ ref("int_experiments__arm_totals") }}
),

arms as (
    select * from {{ ref("int_experiments__arms") }}
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

-- Where nothing was randomised, nothing is compared.
randomised as (
    select distinct experiment_key
    from arms
    where is_randomised
),

summed as (
    select
        units.experiment_key,
        units.metric_key,
        units.arm,
        count(*) as count_units,
        sum(case when units.y <> 0 then 1 else 0 end) as count_nonzero,
        sum(units.y) as sum_y,
        sum(units.y * units.y) as sum_yy
    from units
    inner join randomised
        on units.experiment_key = randomised.experiment_key
    where units.is_mature
    group by units.experiment_key, units.metric_key, units.arm
),

joined as (
    select
        coalesce(totals.experiment_key, summed.experiment_key) as experiment_key,
        coalesce(totals.metric_key, summed.metric_key) as metric_key,
        coalesce(totals.arm, summed.arm) as arm,
        coalesce(totals.count_units, 0) as count_units,
        coalesce(totals.count_nonzero, 0) as count_nonzero,
        coalesce(totals.sum_y, 0) as sum_y,
        coalesce(totals.sum_yy, 0) as sum_yy,
        coalesce(summed.count_units, 0) as count_units_of_people,
        coalesce(summed.count_nonzero, 0) as count_nonzero_of_people,
        coalesce(summed.sum_y, 0) as sum_y_of_people,
        coalesce(summed.sum_yy, 0) as sum_yy_of_people
    from totals
    full outer join summed
        on
            totals.experiment_key = summed.experiment_key
            and totals.metric_key = summed.metric_key
            and totals.arm = summed.arm
)

select * from joined
where
    count_units <> count_units_of_people
    or count_nonzero <> count_nonzero_of_people
    or abs(sum_y - sum_y_of_people) > 1e-9 * greatest(1.0, abs(sum_y))
    or abs(sum_yy - sum_yy_of_people) > 1e-9 * greatest(1.0, sum_yy)
