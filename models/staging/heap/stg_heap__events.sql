with

events as (
    select * from {{ source("heap_connect", "events") }}
),

typed as (
    select
        cast(event_id as {{ dbt.type_string() }}) as heap_event_id,
        cast(user_id as {{ dbt.type_string() }}) as heap_user_id,
        {{ not_blank("publish_key") }} as publish_key,
        event_table_name,
        time as occurred_at
    from events
    where
        event_id is not null
        and event_table_name is not null
        and time < {{ as_of() }}
),

-- A dump may hold an event in a table of its own and in Heap's table of all events.
ranked as (
    select
        *,
        row_number() over (
            partition by heap_event_id, heap_user_id
            order by
                publish_key asc nulls last,
                event_table_name asc,
                occurred_at desc
        ) as version_rank
    from typed
),

deduplicated as (
    select
        heap_event_id,
        heap_user_id,
        publish_key,
        event_table_name,
        occurred_at
    from ranked
    where version_rank = 1
)

select * from deduplicated
