with

behavior_map as (
    select * from {{ ref("behavior_map") }}
),

{{ event_rows() }},

ranked as (
    select
        *,
        row_number() over (
            partition by event_id, event_name, product_id
            order by {{ last_version_first() }}
        ) as version_rank
    from event_rows
),

mapped as (
    select
        ranked.event_id,
        ranked.customer_id,
        ranked.email,
        ranked.event_name,
        -- what lowers the money of orders is no order, and no other behavior either
        case
            when behavior_map.behavior = 'order_placed' and ranked.value < 0 then null
            else behavior_map.behavior
        end as behavior,
        behavior_map.behavior as value_behavior,
        ranked.product_id,
        ranked.category,
        ranked.value,
        ranked.occurred_at
    from ranked
    left join behavior_map
        on ranked.event_name = behavior_map.event_name
    where ranked.version_rank = 1
)

select * from mapped
