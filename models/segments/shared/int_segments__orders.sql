-- What many segments need of orders, computed once: their order, the sum so far, the next one, and
-- the calendar day where the brand lives. Lines of one order share its instant and are one order.
with

behavior_events as (
    select * from {{ ref("int_identity__behavior_events") }}
),

workspaces as (
    select * from {{ ref("workspaces") }}
),

orders as (
    select
        person_id,
        min(workspace_id) as workspace_id,
        cast(sum(coalesce(value, 0)) as decimal(18, 2)) as order_value,
        occurred_at as ordered_at
    from behavior_events
    where
        behavior = 'order_placed'
        and person_id is not null
    group by person_id, occurred_at
),

placed as (
    select
        orders.person_id,
        coalesce(workspaces.time_zone, 'UTC') as time_zone,
        orders.order_value,
        orders.ordered_at
    from orders
    left join workspaces
        on orders.workspace_id = workspaces.workspace_id
),

numbered as (
    select
        person_id,
        time_zone,
        order_value,
        cast(sum(order_value) over (
            partition by person_id
            order by ordered_at
            rows between unbounded preceding and current row
        ) as decimal(18, 2)) as lifetime_value,
        row_number() over (
            partition by person_id
            order by ordered_at
        ) as order_number,
        {{ local_date("ordered_at", "time_zone") }} as ordered_on,
        min(ordered_at) over (partition by person_id) as first_ordered_at,
        ordered_at,
        lead(ordered_at) over (
            partition by person_id
            order by ordered_at
        ) as next_ordered_at
    from placed
)

select * from numbered
