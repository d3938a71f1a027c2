with

events as (
    select * from {{ ref("stg_behavior__events") }}
),

counted as (
    select
        event_name,
        count(*) as count_rows,
        count(distinct event_id) as count_events
    from events
    where is_told_by_another_name
    group by event_name
)

select * from counted
