-- Which segment of Heap an audience names, and until when either list is known.
with

audiences as (
    select * from {{ ref("audiences") }}
    where heap_segment is not null
),

syncs as (
    select * from {{ ref("int_audiences__heap_syncs") }}
),

{% set of_heap = ["heap_sessions", "heap_segments"] -%}
{% set inputs = watched_inputs() | rejectattr(0, "in", of_heap) | list -%}
{% for family, model, workspace, event, instant in inputs -%}
{{ family }}_newest as (
    select max({{ instant }}) as known_until
    from {{ ref(model) }}
    where {{ instant }} < {{ as_of() }}
),

{% endfor -%}
-- what people did comes by a road of its own, and stops by itself
known as (
    select
        max(case when family = 'behavior' then known_until end) as behavior_until,
        max(case when family <> 'behavior' then known_until end) as messages_until
    from (
        {%- for family, model, workspace, event, instant in inputs %}
        select
            '{{ family }}' as family,
            known_until
        from {{ family }}_newest
        {{ "union all" if not loop.last }}
        {%- endfor %}
    ) as newest
),

latest as (
    select
        *,
        row_number() over (
            partition by heap_segment_id
            order by synced_at desc, sync_task_id desc
        ) as recency
    from syncs
    where is_complete
),

-- a whole list makes up for whatever was lost before it
reset as (
    select
        heap_segment_id,
        max(begun_at) as reset_at
    from syncs
    where is_complete and is_whole_list
    group by heap_segment_id
),

incomplete as (
    select
        syncs.heap_segment_id,
        count(*) as count_incomplete
    from syncs
    left join reset
        on syncs.heap_segment_id = reset.heap_segment_id
    where
        not syncs.is_complete
        and (reset.reset_at is null or syncs.begun_at > reset.reset_at)
        and syncs.begun_at < {{ dbt.dateadd("hour", -1 * var("heap_segments_cadence_hours"), as_of()) }}
    group by syncs.heap_segment_id
),

-- by its id before its name; of two with one name the one that was told last
matched as (
    select
        audiences.audience_key,
        latest.heap_segment_id,
        latest.synced_at,
        row_number() over (
            partition by audiences.audience_key
            order by
                case when audiences.heap_segment = latest.heap_segment_id then 0 else 1 end asc,
                latest.synced_at desc,
                latest.heap_segment_id asc
        ) as match_rank
    from audiences
    inner join latest
        on
            latest.recency = 1
            and (
                audiences.heap_segment = latest.heap_segment_id
                or audiences.heap_segment = latest.heap_segment_name
            )
),

lists as (
    select
        audiences.audience_key,
        audiences.workspace_id,
        audiences.segment_key,
        audiences.version,
        matched.heap_segment_id,
        coalesce(audiences.min_parity, {{ var("audiences_min_parity") }}) as min_parity,
        coalesce(incomplete.count_incomplete, 0) as count_incomplete,
        matched.synced_at,
        least(
            coalesce(known.behavior_until, known.messages_until),
            coalesce(known.messages_until, known.behavior_until)
        ) as known_until
    from audiences
    cross join known
    left join matched
        on
            audiences.audience_key = matched.audience_key
            and matched.match_rank = 1
    left join incomplete
        on matched.heap_segment_id = incomplete.heap_segment_id
)

select * from lists
