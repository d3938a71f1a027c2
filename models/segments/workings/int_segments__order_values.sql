-- The money of orders as it came and went: an order with all its lines of one instant, a line that
-- came later, a negative order. An order is placed with the first of the lines that share its id; two
-- ids at one instant are lines of one order, too. Sums are wider than their terms: they always fit.
with

behavior_events as (
    select * from {{ ref("int_identity__behavior_events") }}
),

lines as (
    select
        workspace_id,
        person_id,
        value,
        occurred_at,
        min(case when behavior = 'order_placed' then occurred_at end) over (
            partition by person_id, event_id
        ) as ordered_at
    from behavior_events
    where
        value_behavior = 'order_placed'
        and person_id is not null
),

changes as (
    select
        person_id,
        min(workspace_id) as workspace_id,
        cast(sum(coalesce(value, 0)) as decimal(38, 2)) as order_value,
        max(case when ordered_at = occurred_at then 1 else 0 end) = 1 as is_order,
        occurred_at as changed_at
    from lines
    group by person_id, occurred_at
),

summed as (
    select
        person_id,
        workspace_id,
        order_value,
        cast(sum(order_value) over (
            partition by person_id
            order by changed_at
            rows between unbounded preceding and current row
        ) as decimal(38, 2)) as lifetime_value,
        is_order,
        changed_at,
        lead(changed_at) over (
            partition by person_id
            order by changed_at
        ) as next_changed_at
    from changes
)

select * from summed
