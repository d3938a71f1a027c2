-- An abandoned cart: step, minutes before it was left.
create table cart_steps as from (
    values
    ('site_visited', 25), ('product_viewed', 20), ('cart_updated', 10),
    ('checkout_started', 7), ('shipping_viewed', 4), ('payment_viewed', 1)
) as steps (event_name, minutes);

create table order_steps as from (
    values
    ('checkout_started', 6), ('shipping_viewed', 4), ('payment_viewed', 2), ('order_placed', 0)
) as steps (event_name, minutes);

create table behavior as
with left_behind as (
    select
        i,
        false as is_sister,
        cart_key,
        abandoned_at,
        saw_shipping
    from carts
    union all
    select
        i,
        true,
        cart_key,
        abandoned_at,
        false
    from sister_carts
),

carts_left as (
    select
        left_behind.*,
        concat(category, '-', 1 + pick(cart_key, 'product', 8)) as product_id,
        category
    from left_behind
    inner join persons using (i)
),

cart_events as (
    select
        i,
        is_sister,
        concat('left:', cart_key, ':', event_name) as event_key,
        event_name,
        abandoned_at - to_minutes(minutes) as occurred_at,
        null::decimal(18, 2) as value,
        if(event_name = 'site_visited', null, product_id) as product_id,
        if(event_name = 'site_visited', null, category) as category
    from carts_left
    cross join cart_steps
    where
        event_name in ('site_visited', 'product_viewed', 'cart_updated')
        or (
            event_name = 'checkout_started'
            and (saw_shipping or draw(cart_key, 'checkout') < 0.2)
        )
        or (event_name = 'shipping_viewed' and saw_shipping)
        or (event_name = 'payment_viewed' and saw_shipping and draw(cart_key, 'payment') < 0.4)
),

-- the same product twice within a day, mostly by those who mean it
second_looks as (
    select
        i,
        is_sister,
        concat('look:', cart_key) as event_key,
        'product_viewed' as event_name,
        abandoned_at - minutes(120 + draw(cart_key, 'looked') * 900)
            as occurred_at,
        null::decimal(18, 2) as value,
        product_id,
        category
    from carts_left
    where draw(cart_key, 'looks twice') < if(saw_shipping, 0.60, 0.15)
),

-- some come back to the checkout and stop again, at every step of it
returns as (
    select
        i,
        is_sister,
        concat('back:', cart_key, ':', event_name) as event_key,
        event_name,
        abandoned_at + minutes(1200 + draw(cart_key, 'back') * 2400)
        - to_minutes(minutes) as occurred_at,
        null::decimal(18, 2) as value,
        product_id,
        category
    from carts_left
    cross join order_steps
    where
        draw(cart_key, 'comes back') < {comes_back}
        and case event_name
            when 'checkout_started' then true
            when 'shipping_viewed' then draw(cart_key, 'ships back') < {back_to_shipping}
            when 'payment_viewed'
                then
                    draw(cart_key, 'ships back') < {back_to_shipping}
                    and draw(cart_key, 'pays back') < {back_to_payment}
            else false
        end
),

-- a few look up what shipping would cost in the last days, so that somebody is still undecided
undecided as (
    select
        i,
        false as is_sister,
        concat('rates:', i) as event_key,
        'shipping_viewed' as event_name,
        at_day({history_days} - 2.5 + draw(i, 'rates') * 2.3) as occurred_at,
        null::decimal(18, 2) as value,
        concat(category, '-', 1 + i % 8) as product_id,
        category
    from persons
    where kind = 'prospect' and noise = 'none' and draw(i, 'looks up rates') < 0.06
),

order_events as (
    select
        i,
        is_sister,
        concat(order_key, ':', event_name) as event_key,
        event_name,
        ordered_at - to_minutes(minutes) as occurred_at,
        if(event_name = 'order_placed', value, null) as value,
        product_id,
        category
    from orders
    cross join order_steps
    -- half of the habit is a subscription: nobody walks through a checkout
    where event_name = 'order_placed' or cause != 'habit' or draw(order_key, 'by hand') < 0.5
),

arrivals as (
    select
        i,
        is_sister,
        concat(order_key, ':delivered') as event_key,
        'order_delivered' as event_name,
        ordered_at + minutes(2000 + draw(order_key, 'carrier') * 5000)
            as occurred_at,
        null::decimal(18, 2) as value,
        product_id,
        category
    from orders
    where draw(order_key, 'lost') >= 0.01
),

sent_back as (
    select
        i,
        is_sister,
        concat(order_key, ':returned') as event_key,
        'Order Returned' as event_name,
        ordered_at + minutes(7200 + draw(order_key, 'sent back after') * 21600) as occurred_at,
        -value as value,
        product_id,
        category
    from orders
    where draw(order_key, 'sent back') < {returned_share}
),

visits as (
    select
        i,
        false as is_sister,
        concat('visit:', i, ':', n) as event_key,
        if(n = 1, 'product_viewed', 'site_visited') as event_name,
        at_day(
            greatest(joined_day, 0) + draw(concat(i, ':', n), 'visit')
            * (active_until_day - greatest(joined_day, 0))
        ) as occurred_at,
        null::decimal(18, 2) as value,
        if(n = 1, concat(category, '-', 1 + i % 8), null) as product_id,
        if(n = 1, category, null) as category
    from persons
    cross join range(3) as numbers (n)
    where n < draw(i, 'visits') * 4
),

united as (
    select * from cart_events
    union all
    select * from second_looks
    union all
    select * from returns
    union all
    select * from undecided
    union all
    select * from order_events
    union all
    select * from arrivals
    union all
    select * from sent_back
    union all
    select * from visits
)

select
    i,
    is_sister,
    ulid(event_key) as event_id,
    event_name,
    value,
    product_id,
    category,
    occurred_at,
    batch_of(occurred_at) as batch
from united
where occurred_at >= at_day(0) and day_of(occurred_at) < {history_days};
