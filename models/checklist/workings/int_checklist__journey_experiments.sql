with

subjects as (
    select * from {{ ref("int_checklist__subjects") }}
),

experiments as (
    select * from {{ ref("experiments") }}
),

registered_arms as (
    select * from {{ ref("experiment_arms") }}
),

assignments as (
    select * from {{ ref("fct_experiment_assignments") }}
),

units as (
    select * from {{ ref("fct_experiment_units") }}
),

guardrail_rules as (
    select * from {{ ref("int_experiments__guardrail_rules") }}
),

journey_experiments as (
    select
        subjects.workspace_id,
        subjects.journey_id,
        experiments.experiment_key
    from subjects
    inner join experiments
        on
            subjects.journey_id = cast(experiments.campaign_id as {{ dbt.type_string() }})
            and subjects.workspace_id = coalesce(experiments.workspace_id, subjects.workspace_id)
),

-- Somebody is held out
ranked_arms as (
    select
        experiment_key,
        is_control,
        {{ shown_name("experiment_key") }} || ': ' || {{ shown_name("arm") }} || ' at '
        || coalesce({{ share_text("weight") }}, '–') as said,
        row_number() over (order by experiment_key, allocation_version, arm) as place
    from registered_arms
),

counted_controls as (
    select
        experiment_key,
        count(case when is_control then 1 end) as count_controls
    from registered_arms
    group by experiment_key
),

counted_experiments as (
    select
        subjects.workspace_id,
        subjects.journey_id,
        count(journey_experiments.experiment_key) as count_experiments,
        count(case when counted_controls.count_controls > 0 then 1 end) as count_held_out
    from subjects
    left join journey_experiments
        on
            subjects.workspace_id = journey_experiments.workspace_id
            and subjects.journey_id = journey_experiments.journey_id
    left join counted_controls on journey_experiments.experiment_key = counted_controls.experiment_key
    where subjects.journey_id is not null
    group by subjects.workspace_id, subjects.journey_id
),

listed_controls as (
    select
        journey_experiments.workspace_id,
        journey_experiments.journey_id,
        {{ listed_text("ranked_arms.said", "ranked_arms.place", "; ") }} as said
    from journey_experiments
    inner join ranked_arms on journey_experiments.experiment_key = ranked_arms.experiment_key
    where ranked_arms.is_control
    group by journey_experiments.workspace_id, journey_experiments.journey_id
),

held_out as (
    select
        counted_experiments.*,
        listed_controls.said
    from counted_experiments
    left join listed_controls
        on
            counted_experiments.workspace_id = listed_controls.workspace_id
            and counted_experiments.journey_id = listed_controls.journey_id
),

-- Every arm gets people
arms as (
    select
        experiment_key,
        arm,
        max(case when is_control then 1 else 0 end) as is_control,
        max(
            case
                when trap_action_id is not null or {{ not_blank("trap_recipient") }} is not null then 1
                else 0
            end
        ) as has_trap
    from registered_arms
    group by experiment_key, arm
),

assigned_arms as (
    select
        arms.experiment_key,
        arms.arm,
        count(distinct assignments.person_id) as count_people
    from arms
    left join assignments
        on
            arms.experiment_key = assignments.experiment_key
            and arms.arm = assignments.arm
    group by arms.experiment_key, arms.arm
),

ranked_assigned_arms as (
    select
        experiment_key,
        count_people,
        {{ shown_name("arm") }} || ' ' || {{ grouped_digits("count_people") }} as said,
        row_number() over (order by experiment_key, arm) as place
    from assigned_arms
),

counted_arms as (
    select
        experiment_key,
        min(count_people) as least_people,
        {{ listed_text("said", "place", ", ") }} as said
    from ranked_assigned_arms
    group by experiment_key
),

limits as (
    select coalesce(max(threshold), 1.0) as most_shown
    from guardrail_rules
    where
        code = 'contamination'
        and severity = 'invalid'
),

-- Held-out people have ghosts where a trap is registered, and nothing real of the journey
held_out_arms as (
    select
        units.experiment_key,
        units.arm,
        arms.has_trap,
        count(distinct units.person_id) as count_people,
        count(distinct case when units.is_exposed_ghost then units.person_id end) as count_ghosts,
        count(distinct case when units.is_exposed_real then units.person_id end) as count_real
    from units
    inner join arms
        on
            units.experiment_key = arms.experiment_key
            and units.arm = arms.arm
    where arms.is_control = 1
    group by units.experiment_key, units.arm, arms.has_trap
),

judged_held_out_arms as (
    select
        held_out_arms.experiment_key,
        cast(held_out_arms.count_real as double) / nullif(held_out_arms.count_people, 0) as real_share,
        {{ shown_name("held_out_arms.arm") }} || ': '
        || {{ grouped_digits("held_out_arms.count_people") }} || ' people, '
        || {{ grouped_digits("held_out_arms.count_ghosts") }} || ' with ghosts, '
        || {{ grouped_digits("held_out_arms.count_real") }} || ' shown the message' as said,
        row_number() over (order by held_out_arms.experiment_key, held_out_arms.arm) as place,
        (held_out_arms.has_trap = 1 and held_out_arms.count_ghosts = 0)
        or cast(held_out_arms.count_real as double) / nullif(held_out_arms.count_people, 0)
        >= limits.most_shown as is_wrong
    from held_out_arms
    cross join limits
),

counted_labels as (
    select
        experiment_key,
        count(case when is_wrong then 1 end) as count_wrong,
        max(real_share) as real_share,
        {{ listed_text("said", "place", "; ") }} as said
    from judged_held_out_arms
    group by experiment_key
),

lines as (
    select
        workspace_id,
        journey_id,
        cast(null as {{ dbt.type_string() }}) as experiment_key,
        'holdout' as line,
        'Somebody is held out' as title,
        case
            when count_experiments = 0 then 'no experiment is registered'
            else coalesce(said, 'no control arm')
        end as measured,
        'a registered control arm' as threshold,
        'Hold people out in the journey and register it in seeds/experiments.csv and '
        || 'experiment_arms.csv; until then no lift is shown.' as advice,
        cast(count_held_out as double) as value,
        cast(greatest(count_experiments, 1) as double) as bound,
        count_experiments > 0 and count_held_out = count_experiments as is_met
    from held_out
    union all
    select
        journey_experiments.workspace_id,
        journey_experiments.journey_id,
        journey_experiments.experiment_key,
        'arms' as line,
        'Every arm of ' || {{ shown_name("journey_experiments.experiment_key") }} || ' gets people' as title,
        coalesce(counted_arms.said, 'no arm') as measured,
        'somebody in each' as threshold,
        'Compare split_index or attribute_value of seeds/experiment_arms.csv with the export; '
        || 'the index may count from 0 or from 1.' as advice,
        cast(counted_arms.least_people as double) as value,
        cast(1 as double) as bound,
        coalesce(counted_arms.least_people, 0) > 0 as is_met
    from journey_experiments
    left join counted_arms on journey_experiments.experiment_key = counted_arms.experiment_key
    union all
    select
        journey_experiments.workspace_id,
        journey_experiments.journey_id,
        journey_experiments.experiment_key,
        'holdout_label' as line,
        'Held-out people of ' || {{ shown_name("journey_experiments.experiment_key") }}
        || ' are told apart' as title,
        coalesce(counted_labels.said, 'nobody is held out yet') as measured,
        'ghosts where a trap is registered, fewer than ' || {{ share_text("limits.most_shown", 0) }}
        || ' shown the real message' as threshold,
        'Check trap_action_id and trap_recipient, and that the split stands before the message.' as advice,
        counted_labels.real_share as value,
        limits.most_shown as bound,
        counted_labels.count_wrong = 0 as is_met
    from journey_experiments
    cross join limits
    left join counted_labels on journey_experiments.experiment_key = counted_labels.experiment_key
)

select * from lines
