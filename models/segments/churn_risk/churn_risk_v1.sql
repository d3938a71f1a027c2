-- A repeat customer who is late by the customer's own rhythm: no order for twice the mean gap
-- between the orders so far, and for at least two weeks. Ends with the next order, or when the
-- customer counts as lapsed.
with

orders as (
    select * from {{ ref("int_segments__orders") }}
),

repeat_orders as (
    select
        *,
        {{ dbt.datediff("first_ordered_at", "ordered_at", "second") }}
        / nullif(order_number - 1, 0) as mean_gap_seconds
    from orders
    where order_number >= {{ var("churn_risk_orders") }}
),

timed as (
    select
        person_id,
        next_ordered_at,
        {{ dbt.dateadd(
            "second", rounded("mean_gap_seconds * " ~ var("churn_risk_gap_factor")), "ordered_at"
        ) }} as is_late_at,
        {{ days_after(var("churn_risk_from_days"), "ordered_on") }} as may_be_late_at,
        {{ days_after(var("lifecycle_lapsed_days"), "ordered_on") }} as lapses_at
    from repeat_orders
),

spans as (
    select
        person_id,
        case when is_late_at > may_be_late_at then is_late_at else may_be_late_at end as starts_at,
        case when next_ordered_at < lapses_at then next_ordered_at else lapses_at end as ends_at
    from timed
),

{{ stays_from("spans") }}

select * from stays
