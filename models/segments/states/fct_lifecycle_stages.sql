-- Prospect: no order yet. New: one order. Active: more than one. At risk: the last order is 60 days
-- old. Lapsed: it is 180 days old. The next order leads back to new or active.
with

orders as (
    select * from {{ ref("int_segments__orders") }}
),

profiles as (
    select * from {{ ref("int_identity__profiles") }}
),

timed as (
    select
        person_id,
        order_number,
        ordered_at,
        coalesce(next_ordered_at, {{ forever() }}) as next_ordered_at,
        {{ days_after(var("lifecycle_at_risk_days"), "ordered_on") }} as at_risk_at,
        {{ days_after(var("lifecycle_lapsed_days"), "ordered_on") }} as lapses_at
    from orders
),

new_spans as (
    select
        person_id,
        ordered_at as starts_at,
        case when next_ordered_at < at_risk_at then next_ordered_at else at_risk_at end as ends_at
    from timed
    where order_number = 1
),

active_spans as (
    select
        person_id,
        ordered_at as starts_at,
        case when next_ordered_at < at_risk_at then next_ordered_at else at_risk_at end as ends_at
    from timed
    where order_number > 1
),

at_risk_spans as (
    select
        person_id,
        at_risk_at as starts_at,
        case when next_ordered_at < lapses_at then next_ordered_at else lapses_at end as ends_at
    from timed
    where next_ordered_at > at_risk_at
),

lapsed_spans as (
    select
        person_id,
        lapses_at as starts_at,
        next_ordered_at as ends_at
    from timed
    where next_ordered_at > lapses_at
),

{{ tiers_from(
    [
        ("new", "new_spans"),
        ("active", "active_spans"),
        ("at_risk", "at_risk_spans"),
        ("lapsed", "lapsed_spans"),
    ],
    otherwise="prospect",
    everyone="profiles"
) }},

named as (
    select
        person_id,
        tier as lifecycle_stage,
        entered_at,
        exited_at
    from tiers
)

select * from named
