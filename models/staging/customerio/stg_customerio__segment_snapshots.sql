-- The line that says that a segment was looked into, also if nobody was in it.
with

snapshots as (
    select * from {{ source("customerio", "segment_snapshots") }}
    where
        count_members is not null
        and workspace_id is not null
        and taken_at < {{ as_of() }}
),

looks as (
    select
        workspace_id,
        segment_id,
        max({{ not_blank("segment_name") }}) as segment_name,
        max(segment_type) as segment_type,
        taken_at
    from snapshots
    group by workspace_id, segment_id, taken_at
)

select * from looks
