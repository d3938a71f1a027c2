-- Saw the shipping rates, and for an hour neither saw them again nor ordered. Ends with the order,
-- or three days after the rates were last seen.
with

behavior_events as (
    select * from {{ ref("int_identity__behavior_events") }}
),

{{ left_without(
    "shipping_viewed",
    ends_with="order_placed",
    wait_hours=var("high_intent_abandoner_wait_hours"),
    window_hours=var("high_intent_abandoner_window_hours")
) }},

{{ stays_from("spans") }}

select * from stays
