with

files as (
    select * from {{ source("loads", "files") }}
),

listed as (
    select
        file_name,
        family,
        workspace_id,
        max(count_rows) as count_rows,
        min(loaded_at) as loaded_at
    from files
    group by file_name, family, workspace_id, content_hash
)

select * from listed
