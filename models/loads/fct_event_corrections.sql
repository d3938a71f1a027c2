with

corrections as (
    select * from {{ ref("stg_behavior__corrections") }}
),

listed as (
    select
        file_name,
        event_name,
        count_corrections
    from corrections
)

select * from listed
