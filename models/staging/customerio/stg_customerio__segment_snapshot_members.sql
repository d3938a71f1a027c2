with

snapshots as (
    select * from {{ source("customerio", "segment_snapshots") }}
    where
        count_members is null
        and workspace_id is not null
        and taken_at < {{ as_of() }}
),

members as (
    select distinct
        workspace_id,
        segment_id,
        {{ not_blank("cio_id") }} as cio_id,
        taken_at
    from snapshots
    where {{ not_blank("cio_id") }} is not null
)

select * from members
