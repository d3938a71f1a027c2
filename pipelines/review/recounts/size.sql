-- What an experiment could see, from its units, its plan, and what its messages cost.
with

declared as (
    select
        experiments.workspace_id,
        cast(experiments.campaign_id as varchar) as journey_id,
        experiments.planned_n,
        max(arms.alpha) as alpha,
        max(arms.z_critical) as z_alpha
    from {experiments} as experiments
    inner join {int_experiments__arms} as arms on experiments.experiment_key = arms.experiment_key
    where experiments.experiment_key = $experiment_key
    group by experiments.workspace_id, experiments.campaign_id, experiments.planned_n
),

read as (
    select
        lift.count_treatment,
        lift.count_control,
        lift.count_treatment + lift.count_control as count_mature,
        lift.mean_control
    from {fct_lift} as lift
    where
        lift.experiment_key = $experiment_key
        and lift.arm = $arm
        and lift.metric_key = $metric_key
        and lift.population = 'itt'
        and lift.stratum = 'all'
),

assigned as (
    select
        count(*) filter (assigned_at >= $as_of - interval 7 day) as count_week,
        count(*) filter (arm = $arm) as count_of_arm
    from {fct_experiment_assignments}
    where experiment_key = $experiment_key
),

money as (
    select arg_min(lift.mean_control, lift.metric_key) as mean_control
    from {fct_lift} as lift
    inner join {metrics} as metrics
        on
            lift.metric_key = metrics.metric_key
            and metrics.aggregation = 'sum'
    where
        lift.experiment_key = $experiment_key
        and lift.arm = $arm
        and lift.metric_key <> $metric_key
        and lift.population = 'itt'
        and lift.stratum = 'all'
),

costs as (
    select sum(cast(coalesce(channel_costs.cost_per_message, 0) as double)) as message_cost
    from {fct_message_exposures} as exposures
    inner join declared
        on
            exposures.journey_id = declared.journey_id
            and exposures.workspace_id = coalesce(declared.workspace_id, exposures.workspace_id)
    left join {channel_costs} as channel_costs on exposures.channel = channel_costs.channel
    where
        exposures.exposure_kind = 'real'
        and exposures.message_type not in ('newsletter', 'transactional')
),

joined as (
    select
        *,
        greatest(0, coalesce(planned_n, 0) - count_mature) as count_lacking,
        case
            when mean_control > 0 and mean_control < 1 and count_treatment > 0 and count_control > 0
                then (z_alpha + $z_power) * sqrt(mean_control * (1 - mean_control))
        end as difference_of_one_each
    from read
    cross join declared
    cross join assigned
    cross join costs
)

select
    joined.count_mature as count_rows,
    joined.mean_control,
    joined.alpha,
    joined.count_mature,
    joined.planned_n,
    joined.count_lacking,
    joined.count_week,
    case when joined.count_lacking > 0 then ceil(joined.count_lacking / nullif(joined.count_week, 0)) end
        as count_weeks_to_plan,
    joined.difference_of_one_each
    * sqrt(1 / nullif(joined.count_treatment, 0) + 1 / nullif(joined.count_control, 0))
        as difference_detectable,
    joined.difference_of_one_each * 2 / sqrt(nullif(joined.count_mature, 0))
        as difference_detectable_at_half,
    joined.message_cost / nullif(joined.count_of_arm, 0)
    / nullif(money.mean_control / nullif(joined.mean_control, 0), 0) as difference_paying
from joined
cross join money
