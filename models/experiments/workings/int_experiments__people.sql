with

assignments as (
    select * from {{ ref("int_experiments__assignments") }}
),

reach as (
    select * from {{ ref("int_experiments__reach") }}
),

arms as (
    select * from {{ ref("int_experiments__arms") }}
),

intent_tiers as (
    select * from {{ ref("fct_intent_tiers") }}
),

held_out_globally as (
    select distinct
        assignments.person_id,
        arms.started_at as held_out_from,
        arms.ended_at as held_out_to
    from assignments
    inner join arms
        on
            assignments.experiment_key = arms.experiment_key
            and assignments.arm = arms.arm
            and assignments.allocation_version = arms.allocation_version
    where
        assignments.kind = 'global_holdout'
        and assignments.is_control
),

held_out_of_journeys as (
    select distinct
        assignments.experiment_key,
        assignments.person_id
    from assignments
    inner join held_out_globally
        on
            assignments.person_id = held_out_globally.person_id
            and assignments.assigned_at >= held_out_globally.held_out_from
            and (
                held_out_globally.held_out_to is null
                or assignments.assigned_at < held_out_globally.held_out_to
            )
    where assignments.kind <> 'global_holdout'
),

joined as (
    select
        assignments.*,
        intent_tiers.intent_tier,
        case
            when held_out_of_journeys.person_id is not null then 'global_holdout'
            when not assignments.is_randomised then 'winner_picked'
            when reach.exposed_before_label_at is not null then 'late_label'
        end as exclusion_reason,
        assignments.window_ends_at <= {{ as_of() }} as is_mature,
        reach.exposed_real_at is not null as is_exposed_real,
        reach.exposed_ghost_at is not null as is_exposed_ghost,
        assignments.is_control
        and assignments.count_arms = 1
        and assignments.kind in ('journey_holdout', 'global_holdout')
        and reach.exposed_real_at is not null as is_contaminated,
        assignments.has_control_trap and reach.reached_first_at is not null as is_ghost_reached,
        reach.exposed_real_at,
        reach.exposed_ghost_at,
        reach.reached_first_at
    from assignments
    left join reach
        on
            assignments.experiment_key = reach.experiment_key
            and assignments.person_id = reach.person_id
    left join intent_tiers
        on
            assignments.person_id = intent_tiers.person_id
            and assignments.assigned_at >= intent_tiers.entered_at
            and (
                intent_tiers.exited_at is null
                or assignments.assigned_at < intent_tiers.exited_at
            )
    left join held_out_of_journeys
        on
            assignments.experiment_key = held_out_of_journeys.experiment_key
            and assignments.person_id = held_out_of_journeys.person_id
)

select * from joined  -- noqa: AM04
