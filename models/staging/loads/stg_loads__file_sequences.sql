with

files as (
    select * from {{ source("loads", "files") }}
),

summarised as (
    select
        file_name,
        max(family) as family,
        max(workspace_id) as workspace_id,
        coalesce(max(file_sequence), 0) as file_sequence,
        {{ dbt.position("'_chngs_'", "file_name") }} > 0 as is_changes,
        max(loaded_at) as loaded_at
    from files
    group by file_name
)

select * from summarised
