-- The label of the first assignment says whom the lift counts where; who was ever drawn for a control, by a
-- later label too, is told to nobody all the same, and so is whoever was drawn for an arm that nobody
-- declared.
with

audiences as (
    select * from {{ ref("audiences") }}
),

arms as (
    select * from {{ ref("int_experiments__arms") }}
),

assignment_events as (
    select * from {{ ref("int_experiments__assignment_events") }}
),

assignments as (
    select * from {{ ref("fct_experiment_assignments") }}
),

profiles as (
    select * from {{ ref("int_identity__profiles") }}
),

controls as (
    select distinct
        experiment_key,
        arm
    from arms
    where is_control
),

drawn as (
    select distinct
        assignment_events.experiment_key,
        profiles.person_id
    from assignment_events
    inner join profiles
        on
            assignment_events.workspace_id = profiles.workspace_id
            and assignment_events.cio_id = profiles.cio_id
    left join controls
        on
            assignment_events.experiment_key = controls.experiment_key
            and assignment_events.arm = controls.arm
    where
        profiles.person_id is not null
        and (controls.arm is not null or assignment_events.unplaced_reason is not null)
    union distinct
    select
        experiment_key,
        person_id
    from assignments
    where is_control
),

experiments as (
    select distinct
        experiment_key,
        kind,
        workspace_id
    from arms
),

kept_from as (
    select distinct
        audiences.audience_key,
        drawn.person_id
    from audiences
    inner join experiments
        on
            audiences.experiment_key = experiments.experiment_key
            or (
                experiments.kind = 'global_holdout'
                and (
                    experiments.workspace_id is null
                    or audiences.workspace_id is null
                    or audiences.workspace_id = experiments.workspace_id
                )
            )
    inner join drawn
        on experiments.experiment_key = drawn.experiment_key
)

select * from kept_from
