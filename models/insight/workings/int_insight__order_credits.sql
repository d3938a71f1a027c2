-- Credit as the tools give it: to the last known-human click, and to the last message shown. One
-- order is credited once in each way. A click of a machine, and a trapped delivery, earn nothing. What
-- is taken back is credited by the same rule: it lowers the money and is no order.
with

order_values as (
    select * from {{ ref("int_segments__order_values") }}
),

deliveries as (
    select * from {{ ref("int_journeys__deliveries") }}
),

metrics as (
    select * from {{ ref("int_journeys__delivery_metrics") }}
),

shown as (
    select
        workspace_id,
        delivery_id,
        person_id,
        journey_id,
        exposed_at
    from deliveries
    where
        exposure_kind = 'real'
        and person_id is not null
),

clicks as (
    select
        shown.workspace_id,
        shown.delivery_id,
        shown.person_id,
        shown.journey_id,
        metrics.occurred_at as clicked_at
    from metrics
    inner join shown
        on
            metrics.workspace_id = shown.workspace_id
            and metrics.delivery_id = shown.delivery_id
    where
        metrics.metric = 'clicked'
        and metrics.actor = 'human'
),

clicks_before as (
    select
        order_values.person_id,
        order_values.changed_at,
        clicks.workspace_id,
        clicks.journey_id,
        clicks.delivery_id,
        clicks.clicked_at,
        row_number() over (
            partition by order_values.person_id, order_values.changed_at
            order by clicks.clicked_at desc, clicks.delivery_id desc
        ) as recency
    from order_values
    inner join clicks
        on
            order_values.person_id = clicks.person_id
            and order_values.changed_at >= clicks.clicked_at
            and order_values.changed_at
            < {{ dbt.dateadd("day", var("insight_click_days"), "clicks.clicked_at") }}
),

exposures_before as (
    select
        order_values.person_id,
        order_values.changed_at,
        shown.workspace_id,
        shown.journey_id,
        shown.delivery_id,
        shown.exposed_at,
        row_number() over (
            partition by order_values.person_id, order_values.changed_at
            order by shown.exposed_at desc, shown.delivery_id desc
        ) as recency
    from order_values
    inner join shown
        on
            order_values.person_id = shown.person_id
            and order_values.changed_at >= shown.exposed_at
            and order_values.changed_at
            < {{ dbt.dateadd("day", var("insight_exposure_days"), "shown.exposed_at") }}
),

credited as (
    select
        'last_click' as credit_kind,
        person_id,
        workspace_id,
        journey_id,
        delivery_id,
        clicked_at as credited_at,
        changed_at
    from clicks_before
    where recency = 1
    union all
    select
        'last_exposure' as credit_kind,
        person_id,
        workspace_id,
        journey_id,
        delivery_id,
        exposed_at as credited_at,
        changed_at
    from exposures_before
    where recency = 1
),

valued as (
    select
        -- ids
        credited.credit_kind,
        credited.person_id,
        credited.workspace_id,
        credited.journey_id,
        credited.delivery_id,
        -- numbers
        order_values.order_value,
        -- flags
        order_values.is_order,
        -- timestamps
        credited.credited_at,
        credited.changed_at as ordered_at
    from credited
    inner join order_values
        on
            credited.person_id = order_values.person_id
            and credited.changed_at = order_values.changed_at
)

select * from valued
