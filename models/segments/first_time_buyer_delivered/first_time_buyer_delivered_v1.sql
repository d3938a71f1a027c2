-- The first order has arrived and there is no second one. Begins with the delivery; ends with the
-- second order, or when day 45 after the day of delivery begins.
with

behavior_events as (
    select * from {{ ref("int_identity__behavior_events") }}
),

orders as (
    select * from {{ ref("int_segments__orders") }}
),

first_orders as (
    select * from orders
    where order_number = 1
),

delivered as (
    select
        first_orders.person_id,
        first_orders.time_zone,
        first_orders.next_ordered_at,
        min(behavior_events.occurred_at) as delivered_at
    from first_orders
    inner join behavior_events
        on
            first_orders.person_id = behavior_events.person_id
            and behavior_events.behavior = 'order_delivered'
            and first_orders.ordered_at <= behavior_events.occurred_at
    group by first_orders.person_id, first_orders.time_zone, first_orders.next_ordered_at
),

dated as (
    select
        *,
        {{ local_date("delivered_at", "time_zone") }} as delivered_on
    from delivered
),

limited as (
    select
        *,
        {{ days_after(var("first_time_buyer_window_days"), "delivered_on") }} as runs_out_at
    from dated
),

spans as (
    select
        person_id,
        delivered_at as starts_at,
        case when next_ordered_at < runs_out_at then next_ordered_at else runs_out_at end as ends_at
    from limited
),

{{ stays_from("spans") }}

select * from stays
