-- Last ordered 60 to 90 days ago, and may be written to. Begins with day 60 after the day of the
-- last order; ends when day 90 begins, with the next order, or while unsubscribed.
with

orders as (
    select * from {{ ref("int_segments__orders") }}
),

unsubscribed as (
    select * from {{ ref("int_segments__unsubscribed_spans") }}
),

windows as (
    select
        person_id,
        next_ordered_at,
        {{ days_after(var("winback_from_days"), "ordered_on") }} as starts_at,
        {{ days_after(var("winback_to_days"), "ordered_on") }} as runs_out_at
    from orders
),

spans as (
    select
        person_id,
        starts_at,
        case when next_ordered_at < runs_out_at then next_ordered_at else runs_out_at end as ends_at
    from windows
),

{{ stays_without("spans", "unsubscribed") }}

select * from stays
