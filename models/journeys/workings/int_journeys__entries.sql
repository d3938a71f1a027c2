with

subjects as (
    select * from {{ ref("stg_customerio__subjects") }}
),

profiles as (
    select * from {{ ref("int_identity__profiles") }}
),

resolved as (
    select
        subjects.workspace_id,
        subjects.journey_entry_id,
        subjects.cio_id,
        profiles.person_id,
        cast(subjects.campaign_id as {{ dbt.type_string() }}) as journey_id,
        subjects.campaign_type,
        subjects.trigger_id,
        subjects.started_at as entered_at
    from subjects
    left join profiles
        on
            subjects.workspace_id = profiles.workspace_id
            and subjects.cio_id = profiles.cio_id
)

select * from resolved
