with

quarantine as (
    select * from {{ source("loads", "quarantine") }}
),

listed as (
    select
        file_name,
        family,
        workspace_id,
        reason,
        cast(null as {{ dbt.type_bigint() }}) as count_rows,
        max(quarantined_at) as loaded_at
    from quarantine
    group by file_name, family, workspace_id, reason, content_hash
)

select * from listed
