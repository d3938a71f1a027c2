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

found as (
    select
        claimed.*,
        matched.value,
        matched.event_id is not null as has_order
    from claimed
    left join matched
        on
            claimed.workspace_id = matched.workspace_id
            and claimed.conversion_id = matched.conversion_id
            and matched.match_rank = 1
),

-- A journey has one goal: where most of its conversions are orders, all are, also those whose order no
-- file tells of.
ordering_journeys as (
    select
        workspace_id,
        journey_id
    from found
    where journey_id is not null
    group by workspace_id, journey_id
    having sum(case when has_order then 1 else 0 end) > {{ var("conversions_goal_share") }} * count(*)
),

judged as (
    select
        found.conversion_id,
        found.workspace_id,
        found.cio_id,
        found.person_id,
        found.journey_id,
        found.journey_entry_id,
        found.delivery_id,
        found.webhook_conversion_id,
        case
            when found.has_order then 'order_placed'
            else
                coalesce(
                    {{ declared_goal("found.workspace_id", "found.journey_id") }},
                    case when ordering_journeys.journey_id is not null then 'order_placed' end,
                    'unknown'
                )
        end as goal,
        found.source,
        {{ money("found.value") }} as value,
        found.has_order,
        found.source = 'webhook'
        and coalesce(synced_workspaces.metrics_since <= found.converted_at, false)
        and found.converted_at >= {{ dbt.dateadd("day", -var("conversions_sync_wait_days"), as_of()) }}
            as is_awaiting_sync,
        found.converted_at
    from found
    left join ordering_journeys
        on
            found.workspace_id = ordering_journeys.workspace_id
            and found.journey_id = ordering_journeys.journey_id
    left join synced_workspaces
        on found.workspace_id = synced_workspaces.workspace_id
),

valued as (
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
        not has_order
        and goal in ('order_placed', 'unknown')
        and converted_at >= {{ dbt.dateadd("hour", -var("conversions_order_wait_hours"), as_of()) }}
            as is_awaiting_order,
        converted_at
    from judged
)

select * from valued
