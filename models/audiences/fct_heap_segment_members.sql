-- Several ids may be one person, who is in for as long as any of them is.
with

spans as (
    select * from {{ ref("int_audiences__heap_spans") }}
),

syncs as (
    select * from {{ ref("int_audiences__heap_syncs") }}
),

names as (
    select
        heap_segment_id,
        max(heap_segment_name) as heap_segment_name
    from syncs
    group by heap_segment_id
),

-- a stay is of a member in one segment and workspace
told as (
    select
        *,
        coalesce(cast(workspace_id as {{ dbt.type_string() }}), '') as workspace_text
    from spans
),

keyed as (
    select
        *,
        heap_segment_id || '|' || workspace_text || '|' || member_id as stay_key
    from told
),

spans_of_stays as (
    select
        stay_key as person_id,
        starts_at,
        ends_at
    from keyed
),

{{ stays_from("spans_of_stays") }},

kept as (
    select
        heap_segment_id,
        workspace_id,
        member_id,
        person_id,
        stay_key
    from keyed
    group by heap_segment_id, workspace_id, member_id, person_id, stay_key
),

members as (
    select
        -- ids
        kept.heap_segment_id,
        kept.workspace_id,
        kept.member_id,
        kept.person_id,
        -- attributes
        names.heap_segment_name,
        -- timestamps
        stays.entered_at,
        stays.exited_at
    from stays
    inner join kept
        on stays.person_id = kept.stay_key
    inner join names
        on kept.heap_segment_id = names.heap_segment_id
)

select * from members
