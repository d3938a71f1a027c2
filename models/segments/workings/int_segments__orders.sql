-- What many segments need of orders, computed once: their order, the sum so far, the next one, and
-- the calendar day where the brand lives. What only lowers the money of orders is no order.
with

order_values as (
    select * from {{ ref("int_segments__order_values") }}
),

workspaces as (
    select * from {{ ref("workspaces") }}
),

placed as (
    select
        order_values.person_id,
        coalesce(workspaces.time_zone, 'UTC') as time_zone,
        order_values.order_value,
        order_values.lifetime_value,
        order_values.changed_at as ordered_at
    from order_values
    left join workspaces
        on order_values.workspace_id = workspaces.workspace_id
    where order_values.is_order
),

numbered as (
    select
        person_id,
        time_zone,
        order_value,
        lifetime_value,
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
