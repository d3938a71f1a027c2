-- An arm that somebody is in stands in experiment_arms.csv, in force when they were assigned.
with

assignments as (
    select * from {{ ref("fct_experiment_assignments") }}
),

experiment_arms as (
    select * from {{ ref("experiment_arms") }}
)

select
    assignments.experiment_key,
    assignments.arm,
    assignments.allocation_version
from assignments
left join experiment_arms
    on
        assignments.experiment_key = experiment_arms.experiment_key
        and assignments.arm = experiment_arms.arm
        and assignments.allocation_version = coalesce(experiment_arms.allocation_version, 1)
        and assignments.is_control = coalesce(experiment_arms.is_control, false)
        and (
            experiment_arms.valid_from is null
            or assignments.assigned_at >= experiment_arms.valid_from
        )
        and (
            experiment_arms.valid_to is null
            or assignments.assigned_at < experiment_arms.valid_to
        )
where experiment_arms.arm is null
