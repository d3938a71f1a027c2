with

quarantine as (
    select * from {{ source("loads", "quarantine") }}
),

listed as (
    select
        file_name,
        family,
        reason,
        max(quarantined_at) as loaded_at
    from quarantine
    group by file_name, family, reason, content_hash
)

select * from listed
