with

identifiers as (
    select * from {{ ref("int_identity__identifiers") }}
),

mapped as (
    select
        workspace_id,
        identifier_type,
        identifier,
        person_id,
        evidence,
        valid_from,
        valid_to,
        learned_at
    from identifiers
)

select * from mapped
