-- The lift over how many more were reached, counted from units; allocations are weighed, never pooled.
with

units as (
    select
        units.arm = $arm as is_treated,
        people.allocation_version,
        units.y,
        case when units.is_exposed_real then 1 else 0 end as is_reached
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
        and $stratum in ('all', concat('intent_tier=', people.intent_tier))
),

versions as (
    select
        allocation_version,
        count(*) as count_units,
        avg(y) filter (is_treated) - avg(y) filter (not is_treated) as difference,
        avg(is_reached) filter (is_treated) as share_treatment,
        avg(is_reached) filter (not is_treated) as share_control
    from units
    group by allocation_version
    having count(distinct is_treated) = 2
),

weighed as (
    select
        sum(count_units) as count_rows,
        sum(count_units * difference) / sum(count_units) as difference,
        sum(count_units * share_treatment) / sum(count_units) as reached_share_treatment,
        sum(count_units * share_control) / sum(count_units) as reached_share_control
    from versions
)

-- what may not be shown is not counted again either
select
    * exclude (difference),
    case
        when $effect is not null then difference / (reached_share_treatment - reached_share_control)
    end as effect
from weighed
