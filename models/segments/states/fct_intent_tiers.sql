-- High: saw the same product twice within 24 hours, or was in the checkout. Warm: saw a product or
-- touched a cart. Cold: neither of late, or never.
with

behavior_events as (
    select * from {{ ref("int_identity__behavior_events") }}
),

profiles as (
    select * from {{ ref("int_identity__profiles") }}
),

product_views as (
    select
        person_id,
        occurred_at,
        lag(occurred_at) over (
            partition by person_id, product_id
            order by occurred_at
        ) as seen_before_at
    from behavior_events
    where
        behavior = 'product_viewed'
        and product_id is not null
        and person_id is not null
),

high_moments as (
    select
        person_id,
        occurred_at
    from product_views
    where {{ dbt.dateadd("hour", var("intent_repeat_hours"), "seen_before_at") }} >= occurred_at
    union all
    select
        person_id,
        occurred_at
    from behavior_events
    where behavior in ('checkout_started', 'shipping_viewed', 'payment_viewed')
),

high_spans as (
    select
        person_id,
        occurred_at as starts_at,
        {{ dbt.dateadd("hour", var("intent_high_hours"), "occurred_at") }} as ends_at
    from high_moments
),

warm_spans as (
    select
        person_id,
        occurred_at as starts_at,
        {{ dbt.dateadd("hour", var("intent_warm_hours"), "occurred_at") }} as ends_at
    from behavior_events
    where behavior in ('product_viewed', 'cart_updated')
),

{{ stays_from("high_spans", into="high") }},

{{ stays_from("warm_spans", into="warm") }},

high_stays as (
    select
        person_id,
        entered_at as starts_at,
        exited_at as ends_at
    from high
),

warm_stays as (
    select
        person_id,
        entered_at as starts_at,
        exited_at as ends_at
    from warm
),

{{ tiers_from([("high", "high_stays"), ("warm", "warm_stays")], otherwise="cold", everyone="profiles") }},

named as (
    select
        person_id,
        tier as intent_tier,
        entered_at,
        exited_at
    from tiers
)

select * from named
