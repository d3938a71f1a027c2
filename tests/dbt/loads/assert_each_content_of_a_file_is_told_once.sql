-- The key of load_files, load_quarantine and load_rejected_rows: a name with one content, which they hide.
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

files as (
    select * from {{ source("loads", "files") }}
),

quarantine as (
    select * from {{ source("loads", "quarantine") }}
),

rejected_rows as (
    select * from {{ source("loads", "rejected_rows") }}
),

-- A file that cannot be opened has no content: its reason stands for it.
contents as (
    select
        'load_files' as relation,
        file_name,
        count(distinct coalesce(content_hash, '')) as count_contents
    from files
    group by file_name
    union all
    select
        'load_quarantine' as relation,
        file_name,
        count(distinct coalesce(content_hash, '') || '|' || reason) as count_contents
    from quarantine
    group by file_name
    union all
    select
        'load_rejected_rows' as relation,
        file_name,
        count(
            distinct
            coalesce(content_hash, '') || '|' || coalesce(cast(line_number as {{ dbt.type_string() }}), '')
            || '|' || coalesce(column_name, '') || '|' || reason
        ) as count_contents
    from rejected_rows
    group by file_name
),

told as (
    select
        'load_files' as relation,
        file_name,
        count(*) as count_told
    from load_files
    group by file_name
    union all
    select
        'load_quarantine' as relation,
        file_name,
        count(*) as count_told
    from load_quarantine
    group by file_name
    union all
    select
        'load_rejected_rows' as relation,
        file_name,
        count(*) as count_told
    from load_rejected_rows
    group by file_name
)

select
    contents.relation,
    contents.count_contents,
    told.count_told
from contents
full outer join told
    on
        contents.relation = told.relation
        and contents.file_name = told.file_name
where coalesce(contents.count_contents, 0) <> coalesce(told.count_told, 0)
