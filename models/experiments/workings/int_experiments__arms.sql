with

experiments as (
    select * from {{ ref("experiments") }}
),

experiment_arms as (
    select * from {{ ref("experiment_arms") }}
),

controls as (
    select
        experiment_key,
        min(arm) as control_arm,
        max(
            case
                when trap_action_id is not null or {{ not_blank("trap_recipient") }} is not null
                    then 1
                else 0
            end
        ) = 1 as has_control_trap
    from experiment_arms
    where is_control
    group by experiment_key
),

joined as (
    select
        experiments.experiment_key,
        experiment_arms.arm,
        controls.control_arm,
        experiments.kind,
        experiments.workspace_id,
        experiments.campaign_id,
        experiments.assignment_source,
        experiments.attribute_name,
        coalesce(experiments.salt, '') as salt,
        experiments.primary_metric,
        experiments.owner,
        coalesce(experiment_arms.allocation_version, 1) as allocation_version,
        experiment_arms.split_action_id,
        experiment_arms.split_index,
        experiment_arms.attribute_value,
        coalesce(experiment_arms.weight, 0) as weight,
        cast(
            coalesce(experiments.window_hours, {{ var("experiments_window_hours") }})
            as {{ dbt.type_bigint() }}
        ) as window_hours,
        cast(
            coalesce(experiments.alpha, {{ var("experiments_alpha") }}) as double
        ) as alpha,
        experiments.planned_n,
        coalesce(experiment_arms.is_control, false) as is_control,
        coalesce(controls.has_control_trap, false) as has_control_trap,
        coalesce(experiments.started_at, {{ epoch() }}) as started_at,
        experiments.ended_at,
        experiments.analysis_at,
        coalesce(experiment_arms.valid_from, {{ epoch() }}) as valid_from,
        experiment_arms.valid_to
    from experiments
    inner join experiment_arms
        on experiments.experiment_key = experiment_arms.experiment_key
    left join controls
        on experiments.experiment_key = controls.experiment_key
),

-- The control takes the lowest buckets, then the arms by name: a holdout that grows keeps whom it
-- had.
weighed as (
    select
        *,
        sum(weight) over (
            partition by experiment_key, allocation_version
            order by is_control desc, arm asc
            rows between unbounded preceding and current row
        ) as weight_to,
        sum(case when weight > 0 then 1 else 0 end) over (
            partition by experiment_key, allocation_version
        ) as count_weighed_arms,
        sum(weight) over (
            partition by experiment_key, allocation_version
            order by is_control desc, arm asc
            rows between unbounded preceding and unbounded following
        ) as weight_of_version,
        row_number() over (
            partition by experiment_key, allocation_version
            order by is_control asc, arm desc
        ) as place_from_last
    from joined
),

bucketed as (
    select
        experiment_key,
        arm,
        control_arm,
        kind,
        workspace_id,
        campaign_id,
        assignment_source,
        attribute_name,
        salt,
        primary_metric,
        owner,
        allocation_version,
        split_action_id,
        split_index,
        attribute_value,
        weight,
        weight_of_version,
        count_weighed_arms,
        cast(round(10000 * (weight_to - weight)) as {{ dbt.type_bigint() }}) as bucket_from,
        case
            when place_from_last = 1 then 10000
            else cast(round(10000 * weight_to) as {{ dbt.type_bigint() }})
        end as bucket_to,
        window_hours,
        planned_n,
        alpha,
        {{ normal_quantile("1.0 - alpha / 2.0") }} as z_critical,
        is_control,
        has_control_trap,
        count_weighed_arms > 1 as is_randomised,
        started_at,
        ended_at,
        analysis_at,
        valid_from,
        valid_to
    from weighed
)

select * from bucketed
