with

people as (
    select * from {{ ref("stg_customerio__people_versions") }}
    where not is_called
),

subjects as (
    select * from {{ ref("stg_customerio__subjects") }}
),

deliveries as (
    select * from {{ ref("stg_customerio__synced_deliveries") }}
),

metrics as (
    select * from {{ ref("stg_customerio__metrics") }}
),

behavior_events as (
    select * from {{ ref("stg_behavior__events") }}
),

heap_sessions as (
    select * from {{ ref("stg_heap__sessions") }}
),

latest as (
    select
        'people' as family,
        max(updated_at) as last_event_at
    from people
    union all
    select
        'subjects' as family,
        max(started_at) as last_event_at
    from subjects
    union all
    select
        'deliveries' as family,
        max(created_at) as last_event_at
    from deliveries
    union all
    select
        'metrics' as family,
        max(occurred_at) as last_event_at
    from metrics
    union all
    select
        'behavior' as family,
        max(occurred_at) as last_event_at
    from behavior_events
    union all
    select
        'heap_sessions' as family,
        max(started_at) as last_event_at
    from heap_sessions
),

aged as (
    select
        family,
        last_event_at,
        cast(
            floor(
                {{ minutes_between("last_event_at", as_of()) }} / 60.0
            ) as {{ dbt.type_bigint() }}
        ) as hours_since_last_event,
        cast({{ var("stale_after_hours") }} as {{ dbt.type_bigint() }}) as stale_after_hours
    from latest
),

judged as (
    select
        family,
        case
            when last_event_at is null then 'absent'
            when hours_since_last_event > stale_after_hours then 'stale'
            else 'fresh'
        end as verdict,
        hours_since_last_event,
        stale_after_hours,
        last_event_at
    from aged
)

select * from judged
