{%- set order_seconds = var("conversions_order_seconds") -%}
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

synced_workspaces as (
    select * from {{ ref("stg_customerio__synced_workspaces") }}
),

claimed as (
    select
        metrics.metric_event_id as conversion_id,
        metrics.webhook_event_id as webhook_conversion_id,
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
            >= {{ dbt.dateadd("second", -order_seconds, "claimed.converted_at") }}
            and orders.occurred_at
            <= {{ dbt.dateadd("second", order_seconds, "claimed.converted_at") }}
),

ordering_workspaces as (
    select distinct workspace_id from orders
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
        claimed.webhook_conversion_id,
        case
            when matched.event_id is not null then 'order_placed'
            else coalesce({{ declared_goal("claimed.workspace_id", "claimed.journey_id") }}, 'unknown')
        end as goal,
        claimed.source,
        {{ money("matched.value") }} as value,
        ordering_workspaces.workspace_id is not null
        or claimed.converted_at >= {{ dbt.dateadd("hour", -var("conversions_goal_wait_hours"), as_of()) }}
            as may_find_order,
        claimed.source = 'webhook'
        and coalesce(synced_workspaces.metrics_since <= claimed.converted_at, false)
        and claimed.converted_at >= {{ dbt.dateadd("day", -var("conversions_sync_wait_days"), as_of()) }}
            as is_awaiting_sync,
        claimed.converted_at
    from claimed
    left join ordering_workspaces
        on claimed.workspace_id = ordering_workspaces.workspace_id
    left join synced_workspaces
        on claimed.workspace_id = synced_workspaces.workspace_id
    left join matched
        on
            claimed.workspace_id = matched.workspace_id
            and claimed.conversion_id = matched.conversion_id
            and matched.match_rank = 1
),

judged as (
    select
        conversion_id,
        workspace_id,
        cio_id,
        person_id,
        journey_id,
        journey_entry_id,
        delivery_id,
        webhook_conversion_id,
        goal,
        source,
        value,
        is_awaiting_sync,
        goal = 'unknown' and may_find_order as is_awaiting_goal,
        converted_at
    from valued
)

select * from judged
