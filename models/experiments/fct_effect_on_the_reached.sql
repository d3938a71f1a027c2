with

contrasts as (
    select * from {{ ref("int_experiments__contrasts") }}
    where
        is_current
        and is_comparable
        and population = 'itt'
),

lift as (
    select * from {{ ref("fct_lift") }}
    where population = 'itt'
),

-- Per allocation version: who was reached, and the effect on those the assignment moved.
reached as (
    select
        *,
        cast(count_reached_treatment as double) / count_treatment as share_treatment,
        cast(count_reached_control as double) / count_control as share_control,
        sum_reached_treatment / count_treatment as mean_reached_treatment,
        sum_reached_control / count_control as mean_reached_control
    from contrasts
),

weighed as (
    select
        experiment_key,
        stratum,
        metric_key,
        arm,
        control_arm,
        {{ steady_sum("weight * share_treatment") }} as share_treatment,
        {{ steady_sum("weight * share_control") }} as share_control,
        {{ steady_sum("weight * difference") }} as difference,
        max(case when is_skewed then 1 else 0 end) = 1 as is_skewed
    from reached
    group by experiment_key, stratum, metric_key, arm, control_arm
),

ratioed as (
    select
        *,
        share_treatment - share_control as share_moved,
        difference / nullif(share_treatment - share_control, 0) as effect
    from weighed
),

-- Delta method: the variance of the residual y - effect * reached in each arm. One unit's money says nothing
-- of it.
residuals as (
    select
        reached.experiment_key,
        reached.stratum,
        reached.metric_key,
        reached.arm,
        case
            when count(reached.sample_variance_treatment + reached.sample_variance_control) = count(*)
                then {{ steady_sum(
                    "reached.weight * reached.weight * (
                        reached.sample_variance_treatment / reached.count_treatment
                        + (
                            ratioed.effect * ratioed.effect
                            * reached.share_treatment * (1.0 - reached.share_treatment)
                            - 2.0 * ratioed.effect * (
                                reached.mean_reached_treatment
                                - reached.mean_treatment * reached.share_treatment
                            )
                        ) / greatest(reached.count_treatment - 1, 1)
                        + reached.sample_variance_control / reached.count_control
                        + (
                            ratioed.effect * ratioed.effect
                            * reached.share_control * (1.0 - reached.share_control)
                            - 2.0 * ratioed.effect * (
                                reached.mean_reached_control
                                - reached.mean_control * reached.share_control
                            )
                        ) / greatest(reached.count_control - 1, 1)
                    )"
                ) }}
        end as residual_variance,
        max(reached.z_critical) as z_critical
    from reached
    inner join ratioed
        on
            reached.experiment_key = ratioed.experiment_key
            and reached.stratum = ratioed.stratum
            and reached.metric_key = ratioed.metric_key
            and reached.arm = ratioed.arm
    group by reached.experiment_key, reached.stratum, reached.metric_key, reached.arm
),

judged as (
    select
        ratioed.*,
        residuals.z_critical,
        case
            when residuals.residual_variance is not null
                then
                    sqrt(greatest(0.0, residuals.residual_variance)) / nullif(abs(ratioed.share_moved), 0)
        end as effect_error,
        lift.status,
        lift.interval_kind,
        {{ may_be_told("lift.status") }}
        and ratioed.share_moved >= {{ var("experiments_reach_minimum") }} as is_told
    from ratioed
    inner join residuals
        on
            ratioed.experiment_key = residuals.experiment_key
            and ratioed.stratum = residuals.stratum
            and ratioed.metric_key = residuals.metric_key
            and ratioed.arm = residuals.arm
    inner join lift
        on
            ratioed.experiment_key = lift.experiment_key
            and ratioed.stratum = lift.stratum
            and ratioed.metric_key = lift.metric_key
            and ratioed.arm = lift.arm
),

presented as (
    select
        -- ids
        experiment_key,
        stratum,
        metric_key,
        arm,
        control_arm,
        -- attributes
        status,
        interval_kind,
        -- numbers
        cast(share_treatment as double) as reached_share_treatment,
        cast(share_control as double) as reached_share_control,
        case when is_told then cast(effect as double) end as effect,
        case when is_told then cast(effect_error as double) end as standard_error,
        case
            when is_told and interval_kind = 'fixed' and not is_skewed
                then cast(effect - z_critical * effect_error as double)
        end as effect_low,
        case
            when is_told and interval_kind = 'fixed' and not is_skewed
                then cast(effect + z_critical * effect_error as double)
        end as effect_high
    from judged
)

select * from presented
