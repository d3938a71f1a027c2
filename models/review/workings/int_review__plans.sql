{{ config(materialized="view") }}

with

lift as (
    select * from {{ ref("fct_lift") }}
),

experiments as (
    select * from {{ ref("experiments") }}
),

metrics as (
    select * from {{ ref("metrics") }}
),

arms as (
    select * from {{ ref("fct_review_arms") }}
),

weekly as (
    select
        experiment_key,
        cast(sum(count_week) as {{ dbt.type_bigint() }}) as count_week
    from arms
    group by experiment_key
),

decisions as (
    select
        lift.experiment_key,
        lift.arm,
        lift.metric_key,
        lift.interval_kind,
        lift.status,
        lift.reasons,
        lift.count_treatment,
        lift.count_control,
        lift.mean_control,
        lift.lift,
        lift.lift_low,
        lift.lift_high,
        lift.q_value,
        lift.alpha,
        metrics.aggregation,
        experiments.planned_n,
        lift.count_treatment + lift.count_control as count_mature,
        coalesce(weekly.count_week, 0) as count_week
    from lift
    inner join experiments
        on
            lift.experiment_key = experiments.experiment_key
            and lift.metric_key = experiments.primary_metric
    left join metrics
        on lift.metric_key = metrics.metric_key
    left join weekly
        on lift.experiment_key = weekly.experiment_key
    where
        lift.population = 'itt'
        and lift.stratum = 'all'
),

counted as (
    select
        *,
        greatest(coalesce(planned_n, 0) - count_mature, 0) as count_lacking
    from decisions
),

planned as (
    select
        *,
        case
            when count_lacking > 0
                then
                    cast(
                        ceil(count_lacking / nullif(cast(count_week as double), 0)) as {{ dbt.type_bigint() }}
                    )
        end as count_weeks_to_plan
    from counted
)

select * from planned
