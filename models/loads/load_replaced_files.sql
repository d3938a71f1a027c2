with

replaced_files as (
    select * from {{ source("loads", "replaced_files") }}
),

listed as (
    select
        file_name,
        family,
        cast(sum(count_rows) as {{ dbt.type_bigint() }}) as count_rows,
        max(replaced_at) as loaded_at
    from replaced_files
    group by file_name, family
)

select * from listed
