with

broadcasts as (
    select * from {{ source("customerio", "broadcasts") }}
),

files as (
    select * from {{ ref("stg_loads__file_sequences") }}
),

typed as (
    select
        broadcasts.workspace_id,
        broadcasts.broadcast_id,
        broadcasts.name as broadcast_name,
        coalesce(broadcasts.updated_at, broadcasts.created_at, {{ epoch() }}) as updated_at,
        coalesce(files.file_sequence, 0) as file_sequence
    from broadcasts
    left join files
        on broadcasts._source_file = files.file_name
    where
        broadcasts.workspace_id is not null
        and broadcasts.broadcast_id is not null
),

ranked as (
    select
        *,
        row_number() over (
            partition by workspace_id, broadcast_id, updated_at
            order by file_sequence desc, broadcast_name desc nulls last
        ) as version_rank
    from typed
    where updated_at < {{ as_of() }}
),

deduplicated as (
    select
        workspace_id,
        broadcast_id,
        broadcast_name,
        updated_at
    from ranked
    where version_rank = 1
)

select * from deduplicated
