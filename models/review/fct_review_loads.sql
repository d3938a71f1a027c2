with

load_files as (
    select * from {{ ref("load_files") }}
),

load_quarantine as (
    select * from {{ ref("load_quarantine") }}
),

load_rejected_rows as (
    select * from {{ ref("load_rejected_rows") }}
),

told as (
    select
        family,
        1 as count_files,
        0 as count_quarantined,
        0 as count_rejected_rows
    from load_files
    union all
    select
        family,
        0 as count_files,
        1 as count_quarantined,
        0 as count_rejected_rows
    from load_quarantine
    union all
    select
        family,
        0 as count_files,
        0 as count_quarantined,
        1 as count_rejected_rows
    from load_rejected_rows
),

counted as (
    select
        family,
        cast(sum(count_files) as {{ dbt.type_bigint() }}) as count_files,
        cast(sum(count_quarantined) as {{ dbt.type_bigint() }}) as count_quarantined,
        cast(sum(count_rejected_rows) as {{ dbt.type_bigint() }}) as count_rejected_rows
    from told
    group by family
)

select * from counted
