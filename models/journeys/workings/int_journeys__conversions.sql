with

metrics as (
    select * from {{ ref("int_journeys__delivery_metrics") }}
),

deliveries as (
    select * from {{ ref("int_journeys__deliveries") }}
),

behavior_events as (
    select * from {{ ref("int_identity__behavior_events") }}
),

claimed as (
    select
        metrics.metric_event_id as conversion_id,
        metrics.workspace_id,
        deliveries.cio_id,
        deliveries.person_id,
        deliveries.journey_id,
        deliveries.journey_entry_id,
        metrics.delivery_id,
        metrics.source,
        metrics.occurred_at as converted_at
    from metrics
    left join deliveries
        on
            metrics.workspace_id = deliveries.workspace_id
            and metrics.delivery_id = deliveries.delivery_id
    where metrics.metric = 'converted'
),

-- An order is all lines that share its id; what only lowers its money places none.
orders as (
    select
        workspace_id,
        person_id,
        sum(value) as value,
        min(case when behavior = 'order_placed' then occurred_at end) as occurred_at,
        event_id
    from behavior_events
    where
        value_behavior = 'order_placed'
        and person_id is not null
    group by workspace_id, person_id, event_id
    having count(behavior) > 0
),

matched as (
    select
        claimed.conversion_id,
        claimed.workspace_id,
        orders.value,
        orders.event_id,
        row_number() over (
            partition by claimed.workspace_id, claimed.conversion_id
            order by
                abs({{ dbt.datediff("claimed.converted_at", "orders.occurred_at", "second") }}),
                orders.event_id
        ) as match_rank
    from claimed
    inner join orders
        on
            claimed.workspace_id = orders.workspace_id
            and claimed.person_id = orders.person_id
            and orders.occurred_at
            >= {{ dbt.dateadd("second", -60, "claimed.converted_at") }}
            and orders.occurred_at
            <= {{ dbt.dateadd("second", 60, "claimed.converted_at") }}
),

valued as (
    select
        claimed.conversion_id,
        claimed.workspace_id,
        claimed.cio_id,
        claimed.person_id,
        claimed.journey_id,
        claimed.journey_entry_id,
        claimed.delivery_id,
        case when matched.event_id is not null then 'order_placed' else 'unknown' end as goal,
        claimed.source,
        {{ money("matched.value") }} as value,
        claimed.converted_at
    from claimed
    left join matched
        on
            claimed.workspace_id = matched.workspace_id
            and claimed.conversion_id = matched.conversion_id
            and matched.match_rank = 1
)

select * from valued
