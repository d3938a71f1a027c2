with

pages as (
    select * from {{ source("heap_connect", "segment_pages") }}
),

typed as (
    select
        {{ json_id("data", "segment.id") }} as heap_segment_id,
        {{ not_blank(json_text("data", "segment.name")) }} as heap_segment_name,
        {{ json_id("data", "sync_info.sync_task_id") }} as sync_task_id,
        {{ whole_number(json_text("data", "sync_info.page_number")) }} as page_number,
        {{ whole_number(json_text("data", "sync_info.total_pages")) }} as total_pages,
        coalesce(action_type = 'segment.users.list', false) as is_whole_list,
        received_at
    from pages
    where
        received_at < {{ as_of() }}
        and coalesce(action_type, 'segment.users.sync') in ('segment.users.sync', 'segment.users.list')
),

-- what is sent again was received when it first came
pages_once as (
    select
        heap_segment_id,
        sync_task_id,
        page_number,
        max(heap_segment_name) as heap_segment_name,
        max(total_pages) as total_pages,
        min(case when is_whole_list then 1 else 0 end) = 1 as is_whole_list,
        min(received_at) as received_at
    from typed
    group by heap_segment_id, sync_task_id, page_number
)

select * from pages_once
