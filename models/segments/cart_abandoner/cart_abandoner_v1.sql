-- Updated a cart, and for an hour neither touched it again nor ordered. Ends with the order, or a
-- week after the cart was last touched.
with

behavior_events as (
    select * from {{ ref("int_identity__behavior_events") }}
),

{{ left_without(
    "cart_updated",
    ends_with="order_placed",
    wait_hours=var("cart_abandoner_wait_hours"),
    window_hours=var("cart_abandoner_window_hours")
) }},

{{ stays_from("spans") }}

select * from stays
