-- What stands on a journey's card: its experiment's reading, the check that failed, its people and entries.
with

plan as (
    select
        experiments.planned_n,
        lift.metric_key,
        lift.control_arm,
        lift.lift,
        lift.lift_low,
        lift.lift_high
    from {experiments} as experiments
    left join {fct_lift} as lift
        on
            experiments.experiment_key = lift.experiment_key
            and experiments.primary_metric = lift.metric_key
            and lift.arm = $arm
            and lift.population = 'itt'
            and lift.stratum = 'all'
    where experiments.experiment_key = $experiment_key
),

readings as (
    select
        experiments.experiment_key,
        greatest(1, count(distinct lift.arm)) as count_arms
    from {experiments} as experiments
    left join {fct_lift} as lift
        on
            experiments.experiment_key = lift.experiment_key
            and experiments.primary_metric = lift.metric_key
            and lift.population = 'itt'
            and lift.stratum = 'all'
    where
        cast(experiments.campaign_id as varchar) = $journey_id
        and coalesce(experiments.workspace_id, $workspace_id) is not distinct from $workspace_id
        and coalesce(experiments.started_at < $as_of, true)
    group by experiments.experiment_key
),

failed as (
    select
        arg_min(value, guardrail) as value,
        arg_min(threshold, guardrail) as threshold
    from {fct_experiment_health}
    where
        experiment_key = $experiment_key
        and population = 'itt'
        and verdict = 'invalid'
),

mature as (
    select count(*) as count_mature
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
        and units.metric_key = arms.primary_metric
        and units.arm in (arms.arm, arms.control_arm)
        and units.is_mature
),

week as (
    select count(*) as count_week
    from {fct_experiment_assignments}
    where
        experiment_key = $experiment_key
        and assigned_at >= $as_of - interval 7 day
),

entries as (
    select count(*) as count_entries
    from {fct_journey_entries}
    where
        workspace_id = $workspace_id
        and journey_id = $journey_id
        and entered_at >= (select min(starts_at) from {fct_review_weeks})
)

select
    mature.count_mature + entries.count_entries as count_rows,
    plan.lift,
    plan.lift_low,
    plan.lift_high,
    failed.value as guardrail_value,
    failed.threshold as guardrail_threshold,
    plan.planned_n,
    case when $has_experiment then mature.count_mature end as count_mature,
    case
        when plan.metric_key is not null then week.count_week
        when $has_experiment then 0
    end as count_week,
    entries.count_entries as count_entries_told,
    coalesce((select sum(count_arms) from readings), 0) as count_readings,
    (
        select count(*)
        from {fct_review_cards} as cards
        where
            (
                cards.motion is null, coalesce(cards.motion, ''),
                coalesce(cards.journey_name, cards.journey_id), cards.journey_id, cards.workspace_id
            ) <= (
                $motion is null, coalesce($motion, ''),
                coalesce($journey_name, $journey_id), $journey_id, $workspace_id
            )
    ) as card_rank
from entries
cross join mature
cross join week
cross join failed
left join plan on true
