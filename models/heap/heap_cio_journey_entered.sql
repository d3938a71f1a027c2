with

candidates as (
    select * from {{ ref("int_heap__journey_entered") }}
),

sendable as (
    select
        publish_key,
        heap_identity,
        person_id,
        occurred_at,
        workspace_id,
        journey_id,
        journey_name,
        journey_entry_id,
        arm,
        segments,
        intent_tier
    from candidates
    where refusal_reason is null
)

select * from sendable
