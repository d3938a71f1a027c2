with

events as (
    select * from {{ source("behavior", "events") }}
),

behavior_map as (
    select * from {{ ref("behavior_map") }}
),

ranked as (
    select
        event_id,
        nullif(trim(customer_id), '') as customer_id,
        nullif(trim(email), '') as email,
        event_name,
        product_id,
        category,
        cast(value as decimal(18, 2)) as value,
        occurred_at,
        row_number() over (
            partition by event_id
            order by
                occurred_at desc,
                _source_file desc,
                event_name desc,
                value desc nulls last,
                customer_id desc nulls last,
                email desc nulls last,
                product_id desc nulls last,
                category desc nulls last
        ) as version_rank
    from events
    where
        event_id is not null
        and event_name is not null
        and occurred_at < {{ as_of() }}
),

mapped as (
    select
        ranked.event_id,
        ranked.customer_id,
        ranked.email,
        ranked.event_name,
        behavior_map.behavior,
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
