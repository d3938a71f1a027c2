with

assignment_events as (
    select * from {{ ref("int_experiments__assignment_events") }}
),

arms as (
    select * from {{ ref("int_experiments__arms") }}
),

profiles as (
    select * from {{ ref("int_identity__profiles") }}
),

resolved as (
    select
        assignment_events.*,
        profiles.person_id
    from assignment_events
    inner join profiles
        on
            assignment_events.workspace_id = profiles.workspace_id
            and assignment_events.cio_id = profiles.cio_id
    where
        assignment_events.unplaced_reason is null
        and profiles.person_id is not null
),

ordered as (
    select
        *,
        row_number() over (
            partition by experiment_key, person_id
            order by assigned_at, source_key
        ) as assignment_rank
    from resolved
),

firsts as (
    select *
    from ordered
    where assignment_rank = 1
),

-- The first assignment that disagrees says how the person came to be in two arms.
disagreements as (
    select
        ordered.experiment_key,
        ordered.person_id,
        ordered.assigned_at as crossed_over_at,
        case
            when ordered.cio_id <> firsts.cio_id then 'merge'
            when ordered.journey_entry_id <> firsts.journey_entry_id then 'reentry'
            else 'relabel'
        end as crossover_cause,
        row_number() over (
            partition by ordered.experiment_key, ordered.person_id
            order by ordered.assignment_rank
        ) as disagreement_rank
    from ordered
    inner join firsts
        on
            ordered.experiment_key = firsts.experiment_key
            and ordered.person_id = firsts.person_id
            and ordered.arm <> firsts.arm
),

counted as (
    select
        experiment_key,
        person_id,
        count(*) as count_assignments,
        count(distinct arm) as count_arms
    from ordered
    group by experiment_key, person_id
),

joined as (
    select
        firsts.experiment_key,
        firsts.person_id,
        firsts.workspace_id,
        firsts.cio_id,
        firsts.journey_entry_id,
        firsts.source_key,
        firsts.arm,
        arms.control_arm,
        arms.kind,
        arms.campaign_id,
        disagreements.crossover_cause,
        firsts.allocation_version,
        counted.count_assignments,
        counted.count_arms,
        arms.is_control,
        arms.is_randomised,
        arms.has_control_trap,
        counted.count_arms > 1 as is_crossover,
        arms.started_at,
        firsts.assigned_at,
        disagreements.crossed_over_at,
        {{ dbt.dateadd("hour", "arms.window_hours", "firsts.assigned_at") }} as window_ends_at
    from firsts
    inner join counted
        on
            firsts.experiment_key = counted.experiment_key
            and firsts.person_id = counted.person_id
    inner join arms
        on
            firsts.experiment_key = arms.experiment_key
            and firsts.arm = arms.arm
            and firsts.allocation_version = arms.allocation_version
    left join disagreements
        on
            firsts.experiment_key = disagreements.experiment_key
            and firsts.person_id = disagreements.person_id
            and disagreements.disagreement_rank = 1
)

select * from joined
