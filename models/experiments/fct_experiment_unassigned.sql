with

assignment_events as (
    select * from {{ ref("int_experiments__assignment_events") }}
),

profiles as (
    select * from {{ ref("int_identity__profiles") }}
),

-- What no arm registers, as its source says; and what an arm was drawn for where nobody is known.
explained as (
    select
        -- ids
        assignment_events.experiment_key,
        assignment_events.workspace_id,
        assignment_events.source_key,
        -- attributes
        coalesce(assignment_events.unplaced_reason, 'nobody to resolve') as reason,
        -- timestamps
        assignment_events.assigned_at as observed_at
    from assignment_events
    left join profiles
        on
            assignment_events.workspace_id = profiles.workspace_id
            and assignment_events.cio_id = profiles.cio_id
    where
        assignment_events.unplaced_reason is not null
        or profiles.person_id is null
)

select * from explained
