-- Orders of habit. While a cart lies open nobody also orders by habit, so that what a cart
-- experiment sees is decided by the cart alone.
create table habit_orders as
with buyers as (
    select
        i,
        noise,
        kind,
        joined_day,
        active_until_day,
        cycle_days * if(kind = 'vip', 0.7, 1.0) as cycle_days
    from persons
    where kind in ('regular', 'vip', 'one_time', 'lapsed')
),

spaced as (
    select
        buyers.*,
        n,
        cast(floor(case
            -- the lapsed ordered once or twice, and last before day 55
            -- (a few later, so that some are due to be won back in the last weeks)
            when kind = 'lapsed' and n = 0
                then 5 + draw(i, 'last order') * if(draw(i, 'lapses late') < 0.2, 85, 25)
            when kind = 'lapsed' then 20 + draw(i, 'last but one') * 5
            when kind = 'one_time'
                then
                    greatest(joined_day, 0) + draw(i, 'only order')
                    * (active_until_day - 10 - greatest(joined_day, 0))
            when n = 0 then greatest(joined_day, 0) + draw(i, 'first order') * cycle_days
            -- now and then somebody skips a turn
            else
                cycle_days * (0.75 + 0.5 * draw(concat(i, ':', n), 'gap'))
                * if(draw(concat(i, ':', n), 'skips') < 0.12, 2.0, 1.0)
        end * 1440) as bigint) as gap_minutes
    from buyers
    cross join range(12) as numbers (n)
    where n < case kind when 'one_time' then 1 when 'lapsed' then 1 + i % 2 else 12 end
),

placed as (
    select
        i,
        noise,
        n,
        active_until_day,
        concat('habit:', i, ':', n) as order_key,
        at_day(sum(gap_minutes) over (partition by i order by n) / 1440.0) as ordered_at
    from spaced
)

select
    placed.i,
    placed.n,
    placed.order_key,
    placed.ordered_at
from placed
anti join carts
    on
        placed.i = carts.i
        and placed.ordered_at >= carts.abandoned_at - to_days(1)
        and placed.ordered_at < carts.abandoned_at + to_days(8)
where day_of(placed.ordered_at) < placed.active_until_day;

create table winbacks as
with lapses as (
    select
        i,
        max(ordered_at) as last_ordered_at
    from habit_orders
    inner join persons using (i)
    where kind = 'lapsed' and active_until_day > 179
    group by i
),

entered as (
    select
        i,
        noise,
        has_email,
        concat('winback:', i) as subject_key,
        persons.customer_id,
        last_ordered_at,
        last_ordered_at + minutes((62 + draw(i, 'winback') * 20) * 1440)
            as entered_at,
        slot_at(noise, 2, entered_at) as slot,
        entered_at - to_hours(1) as assigned_at,
        email_fate(concat('winback:', i, ':email'), has_email) as email_fate,
        draw(i, 'won back') as buys_draw,
        -- the warehouse's own hash, pushed as an attribute an hour before entry
        cast(concat('0x', substr(md5(concat('{winback_salt}-', coalesce(
            persons.customer_id, cio_id({winback_workspace}, i, slot)
        ))), 1, 8)) as bigint) % 10000 < {held_out_of_10000} as is_held_out
    from lapses
    inner join persons using (i)
)

select
    entered.*,
    buys_draw < 0.06 as buys_if_held_out,
    buys_draw < 0.06 + if(email_fate = 'sent', {winback_effect}, 0.0) as buys_if_treated,
    case
        when if(is_held_out, buys_if_held_out, buys_if_treated) then
            entered_at + minutes(1440 + draw(i, 'won back after') * 34000)
    end as ordered_at
from entered
where day_of(entered_at) < {history_days} - 0.01
order by i;

create table orders as
with placed as (
    select
        i,
        order_key,
        ordered_at,
        'habit' as cause
    from habit_orders
    union all
    select
        i,
        concat('order:', subject_key),
        ordered_at,
        'cart'
    from carts
    where ordered_at is not null
    union all
    select
        i,
        concat('order:', subject_key),
        ordered_at,
        'winback'
    from winbacks
    where ordered_at is not null
    union all
    select
        i,
        concat('order:', subject_key),
        ordered_at,
        'sister'
    from sister_carts
    where ordered_at is not null
)

select
    placed.*,
    cause = 'sister' as is_sister,
    category,
    concat(category, '-', 1 + pick(order_key, 'product', 8)) as product_id,
    cast(round(
        price * (0.7 + 0.9 * draw(order_key, 'value')) * if(kind = 'vip', 2.5, 1.0), 2
    ) as decimal(18, 2)) as value
from placed
inner join persons using (i)
where day_of(ordered_at) < {history_days} - 0.01
order by i, ordered_at;
