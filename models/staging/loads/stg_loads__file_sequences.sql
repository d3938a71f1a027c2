with

files as (
    select * from {{ source("loads", "files") }}
),

summarised as (
    select
        file_name,
        coalesce(max(file_sequence), 0) as file_sequence,
        max(loaded_at) as loaded_at
    from files
    group by file_name
)

select * from summarised
