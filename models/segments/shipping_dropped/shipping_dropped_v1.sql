-- People of workspace 208301 who came to shipping_viewed and not to payment_viewed after it, for as
-- long as the funnel waits.
with

behavior_events as (
    select * from {{ ref("int_identity__behavior_events") }}
    where workspace_id = 208301
),

{{ left_without(
    "shipping_viewed",
    ends_with="payment_viewed",
    wait_hours=0,
    window_hours=var("insight_funnel_hours")
) }},

{{ stays_from("spans") }}

select * from stays
