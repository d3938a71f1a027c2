with

people as (
    select * from {{ ref("int_experiments__people") }}
),

labelled as (
    select
        -- ids
        experiment_key,
        person_id,
        workspace_id,
        -- attributes
        arm,
        crossover_cause,
        exclusion_reason,
        intent_tier,
        -- numbers
        count_assignments,
        count_arms,
        allocation_version,
        -- flags
        is_control,
        is_crossover,
        is_mature,
        -- timestamps
        assigned_at,
        window_ends_at
    from people
)

select * from labelled
