-- Everyone whom a record assigned stands in one arm: one that a record of the first instant gave.
with

assignment_events as (
    select * from {{ ref("int_experiments__assignment_events") }}
),

profiles as (
    select * from {{ ref("int_identity__profiles") }}
),

assignments as (
    select * from {{ ref("fct_experiment_assignments") }}
),

resolved as (
    select
        assignment_events.experiment_key,
        profiles.person_id,
        assignment_events.arm,
        assignment_events.assigned_at,
        min(assignment_events.assigned_at) over (
            partition by assignment_events.experiment_key, profiles.person_id
        ) as first_assigned_at
    from assignment_events
    inner join profiles
        on
            assignment_events.workspace_id = profiles.workspace_id
            and assignment_events.cio_id = profiles.cio_id
    where
        assignment_events.arm is not null
        and profiles.person_id is not null
),

firsts as (
    select distinct
        experiment_key,
        person_id,
        arm,
        assigned_at
    from resolved
    where assigned_at = first_assigned_at
)

select
    coalesce(assignments.experiment_key, firsts.experiment_key) as experiment_key,
    coalesce(assignments.person_id, firsts.person_id) as person_id
from firsts
full outer join assignments
    on
        firsts.experiment_key = assignments.experiment_key
        and firsts.person_id = assignments.person_id
group by
    coalesce(assignments.experiment_key, firsts.experiment_key),
    coalesce(assignments.person_id, firsts.person_id)
having
    sum(
        case
            when firsts.arm = assignments.arm and firsts.assigned_at = assignments.assigned_at then 1
            else 0
        end
    ) = 0
