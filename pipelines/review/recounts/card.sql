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

needs as (
    select
        named.need,
        named.family
    from (
        values
        ('entries', 'subjects'), ('entries', 'webhooks'),
        ('messages', 'deliveries'), ('messages', 'webhooks'),
        ('outcomes', 'metrics'), ('outcomes', 'webhooks'),
        ('checkouts', 'behavior')
    ) as named (need, family)
),

last_rows as (
    select
        needs.need,
        floor(date_diff('second', max(counts.last_event_at), $as_of) / 3600) as hours_silent,
        bool_and(inputs.hours_since_last_event > inputs.stale_after_hours) as is_stale,
        min(counts.days_before) as days_silent
    from needs
    inner join {int_loads__inputs} as inputs
        on
            needs.family = inputs.family
            and inputs.grain = 'workspace'
            and coalesce(inputs.workspace_id, $workspace_id) = $workspace_id
    inner join {int_loads__daily_counts} as counts
        on inputs.input_id = counts.input_id
    group by needs.need
),

silent as (
    select max(hours_silent) as hours_silent
    from last_rows
    where
        days_silent >= 7
        and (
            is_stale
            or need = 'checkouts'
            or not exists (
                select 1
                from {int_loads__daily_counts} as counts
                where
                    counts.grain = 'workspace'
                    and counts.workspace_id = $workspace_id
                    and counts.days_before < 7
            )
        )
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
    silent.hours_silent,
    case
        when $has_experiment and plan.metric_key is not null and plan.planned_n > mature.count_mature
            then ceil((plan.planned_n - mature.count_mature) / nullif(week.count_week, 0))
    end as count_weeks_to_plan,
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
cross join silent
left join plan on true
