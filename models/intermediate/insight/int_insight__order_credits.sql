-- Credit as the tools give it: to the last known-human click, and to the last message shown. One
-- order is credited once in each way. A click of a machine, and a trapped delivery, earn nothing.
with

orders as (
    select * from {{ ref("int_segments__orders") }}
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
        orders.person_id,
        orders.ordered_at,
        clicks.workspace_id,
        clicks.journey_id,
        clicks.delivery_id,
        clicks.clicked_at,
        row_number() over (
            partition by orders.person_id, orders.ordered_at
            order by clicks.clicked_at desc, clicks.delivery_id desc
        ) as recency
    from orders
    inner join clicks
        on
            orders.person_id = clicks.person_id
            and orders.ordered_at >= clicks.clicked_at
            and orders.ordered_at
            < {{ dbt.dateadd("day", insight_setting("click_days"), "clicks.clicked_at") }}
),

exposures_before as (
    select
        orders.person_id,
        orders.ordered_at,
        shown.workspace_id,
        shown.journey_id,
        shown.delivery_id,
        shown.exposed_at,
        row_number() over (
            partition by orders.person_id, orders.ordered_at
            order by shown.exposed_at desc, shown.delivery_id desc
        ) as recency
    from orders
    inner join shown
        on
            orders.person_id = shown.person_id
            and orders.ordered_at >= shown.exposed_at
            and orders.ordered_at
            < {{ dbt.dateadd("day", insight_setting("exposure_days"), "shown.exposed_at") }}
),

credited as (
    select
        'last_click' as credit_kind,
        person_id,
        workspace_id,
        journey_id,
        delivery_id,
        clicked_at as credited_at,
        ordered_at
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
        ordered_at
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
        orders.order_value,
        -- timestamps
        credited.credited_at,
        credited.ordered_at
    from credited
    inner join orders
        on
            credited.person_id = orders.person_id
            and credited.ordered_at = orders.ordered_at
)

select * from valued
