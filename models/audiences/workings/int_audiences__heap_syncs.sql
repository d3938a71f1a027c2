-- A sync counts once all its pages are there, from the instant at which the last of them came.
with

pages as (
    select * from {{ ref("stg_heap__segment_pages") }}
),

counted as (
    select
        heap_segment_id,
        sync_task_id,
        max(heap_segment_name) as heap_segment_name,
        sum(case when page_number between 1 and total_pages then 1 else 0 end) as count_pages,
        min(total_pages) as least_total,
        max(total_pages) as total_pages,
        min(case when is_whole_list then 1 else 0 end) = 1 as is_whole_list,
        min(received_at) as begun_at,
        max(received_at) as synced_at
    from pages
    group by heap_segment_id, sync_task_id
),

judged as (
    select
        heap_segment_id,
        sync_task_id,
        heap_segment_name,
        count_pages = total_pages and least_total = total_pages as is_complete,
        is_whole_list,
        begun_at,
        synced_at
    from counted
)

select * from judged
