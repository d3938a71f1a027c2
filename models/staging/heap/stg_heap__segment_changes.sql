with

pages as (
    select * from {{ source("heap_connect", "segment_pages") }}
),

seen as (
    select * from pages
    where
        received_at < {{ as_of() }}
        and coalesce(action_type, 'segment.users.sync') in ('segment.users.sync', 'segment.users.list')
),

told as (
    {% for list in ["add", "remove"] -%}
    select
        {{ json_id("data", "segment.id") }} as heap_segment_id,
        {{ json_id("data", "sync_info.sync_task_id") }} as sync_task_id,
        {{ json_list_ids("data", list) }} as customer_id,
        {{ "true" if list == "add" else "false" }} as is_added
    from seen
    {{ "union all" if not loop.last }}
    {% endfor %}
),

-- Nobody says which kind of identifier an id is: it may be the brand's own, or an address.
named as (
    select
        heap_segment_id,
        sync_task_id,
        {{ trimmed("customer_id") }} as customer_id,
        is_added
    from told
),

-- of both in one sync, entering counts
changes as (
    select
        heap_segment_id,
        sync_task_id,
        customer_id,
        case when {{ dbt.position("'@'", "customer_id") }} > 0 then customer_id end as email,
        max(case when is_added then 1 else 0 end) = 1 as is_added
    from named
    where length(customer_id) > 0
    group by heap_segment_id, sync_task_id, customer_id
)

select * from changes
