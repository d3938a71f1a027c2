with

rejected_rows as (
    select * from {{ source("loads", "rejected_rows") }}
),

listed as (
    select
        file_name,
        family,
        line_number,
        column_name,
        reason,
        min(loaded_at) as loaded_at
    from rejected_rows
    group by file_name, family, content_hash, line_number, column_name, reason
)

select * from listed
