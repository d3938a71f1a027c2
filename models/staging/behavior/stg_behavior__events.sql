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
        ranked.*,
        behavior_map.behavior as mapped_behavior,
        coalesce(behavior_map.behavior = 'order_placed' and ranked.value < 0, false) as is_taken_back
    from ranked
    left join behavior_map
        on ranked.event_name = {{ trimmed("behavior_map.event_name") }}
    where ranked.version_rank = 1
),

-- Two names of one behavior under one id tell one event twice, as two trackers of one shop do. What
-- takes an order back is told apart from what placed it.
told_by_many as (
    select
        event_id,
        mapped_behavior,
        is_taken_back
    from mapped
    where mapped_behavior is not null
    group by event_id, mapped_behavior, is_taken_back
    having min(event_name) <> max(event_name)
),

ranked_names as (
    select
        mapped.event_id,
        mapped.event_name,
        mapped.mapped_behavior,
        mapped.is_taken_back,
        row_number() over (
            partition by mapped.event_id, mapped.mapped_behavior, mapped.is_taken_back
            order by {{ last_version_first() }}, mapped.event_name, mapped.product_id
        ) as name_rank
    from mapped
    inner join told_by_many
        on
            mapped.event_id = told_by_many.event_id
            and mapped.mapped_behavior = told_by_many.mapped_behavior
            and mapped.is_taken_back = told_by_many.is_taken_back
),

judged as (
    select
        mapped.*,
        -- of several names, the one told last
        ranked_names.event_name is not null and mapped.event_name <> ranked_names.event_name
            as is_told_by_another_name
    from mapped
    left join ranked_names
        on
            mapped.event_id = ranked_names.event_id
            and mapped.mapped_behavior = ranked_names.mapped_behavior
            and mapped.is_taken_back = ranked_names.is_taken_back
            and ranked_names.name_rank = 1
),

told as (
    select
        event_id,
        customer_id,
        email,
        event_name,
        -- what lowers the money of orders is no order, and no other behavior either
        case when not is_taken_back and not is_told_by_another_name then mapped_behavior end as behavior,
        case when not is_told_by_another_name then mapped_behavior end as value_behavior,
        product_id,
        category,
        value,
        is_told_by_another_name,
        occurred_at
    from judged
)

select * from told
