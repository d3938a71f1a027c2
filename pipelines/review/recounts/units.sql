-- Arm and control counted again from units; allocation versions are weighed, never pooled.
with

units as (
    select
        units.arm,
        people.allocation_version,
        units.y
    from {fct_experiment_units} as units
    inner join {int_experiments__people} as people
        on
            units.experiment_key = people.experiment_key
            and units.person_id = people.person_id
    inner join {int_experiments__arms} as arms
        on
            people.experiment_key = arms.experiment_key
            and people.allocation_version = arms.allocation_version
            and arms.arm = $arm
    where
        units.experiment_key = $experiment_key
        and units.metric_key = $metric_key
        and units.arm in ($arm, $control_arm)
        and people.window_ends_at <= $as_of
        and ($population = 'itt' or people.is_ghost_reached)
        and $stratum in ('all', concat('intent_tier=', people.intent_tier))
),

versions as (
    select
        allocation_version,
        count(*) as count_units,
        count(case when arm = $arm then 1 end) as count_treatment,
        count(case when arm = $control_arm then 1 end) as count_control,
        avg(case when arm = $arm then y end) as mean_treatment,
        avg(case when arm = $control_arm then y end) as mean_control
    from units
    group by allocation_version
),

weighed as (
    select
        *,
        case when count_treatment > 0 and count_control > 0 then count_units end as weight
    from versions
),

counted as (
    select
        coalesce(sum(count_units), 0) as count_rows,
        coalesce(sum(count_treatment), 0) as count_treatment,
        coalesce(sum(count_control), 0) as count_control,
        coalesce(
            sum(weight * mean_treatment) / sum(weight),
            sum(count_treatment * mean_treatment) / nullif(sum(count_treatment), 0)
        ) as mean_treatment,
        coalesce(
            sum(weight * mean_control) / sum(weight),
            sum(count_control * mean_control) / nullif(sum(count_control), 0)
        ) as mean_control
    from weighed
)

-- what may not be shown is not counted again either
select
    *,
    case when $lift is not null then mean_treatment - mean_control end as lift,
    case when $lift_relative is not null then mean_treatment / mean_control - 1 end as lift_relative,
    case
        when $incremental is not null then (mean_treatment - mean_control) * count_treatment
    end as incremental
from counted
