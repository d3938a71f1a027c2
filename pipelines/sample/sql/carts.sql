create table carts as
with leavers as (
    select
        i,
        noise,
        kind,
        has_email,
        category_number,
        greatest({start_day}, joined_day + 1) as from_day,
        active_until_day - 2 as until_day
    from persons
    where
        kind != 'lapsed' and active_until_day > {start_day} + 2
        and draw(i, 'leaves carts') < 0.85
),

first_carts as (
    select
        leavers.*,
        from_day + draw(i, 'first cart') * 0.75 * (until_day - from_day) as day_1,
        day_1 + 16 + draw(i, 'second cart') * 25 as day_2,
        day_2 + 16 + draw(i, 'third cart') * 25 as day_3,
        1 + floor(draw(i, 'carts') * 2.2) as count_carts
    from leavers
),

-- the week has a season: some carts are left on the Saturday instead
dated as (
    select
        first_carts.*,
        n,
        concat(i, ':', n) as cart_key,
        case n when 1 then day_1 when 2 then day_2 else day_3 end as left_day,
        if(
            weekday_of(left_day) < 5 and left_day + 5 < until_day
            and draw(cart_key, 'weekend') < {weekend_moves},
            5 - weekday_of(left_day), 0
        ) as days_later
    from first_carts
    cross join range(1, 4) as numbers (n)
    where n <= count_carts and left_day < until_day
),

left_carts as (
    select
        i,
        noise,
        kind,
        has_email,
        category_number,
        n,
        cart_key,
        at_day(left_day + days_later) as abandoned_at,
        slot_at(noise, n, abandoned_at) as slot
    from dated
),

judged as (
    select
        left_carts.*,
        concat('cart:', cart_key) as subject_key,
        abandoned_at + to_minutes(10) as entered_at,
        draw(cart_key, 'shipping') < if(kind = 'vip', 0.55, 0.40) as saw_shipping,
        email_fate(concat('cart:', cart_key, ':email'), has_email) as email_fate,
        draw(cart_key, 'buys') as buys_draw,
        draw(cart_key, 'delay') as delay_draw,
        -- the vendor's split keeps a profile where it was, except for a few that are redrawn
        if(
            n > 1 and draw(cart_key, 'redrawn') < 0.02,
            draw(cart_key, 'split'), draw(concat(i, ':', slot), 'split')
        ) < {control_share} as is_held_out,
        -- from that day on, whoever saw the rates and left a number is drawn for the text, and gets
        -- no e-mail
        saw_shipping and entered_at >= at_day({text_day})
        and draw(i, 'left a number') < {textable_share} as is_for_text,
        draw(concat(i, ':', slot), 'text') as text_draw,
        case
            when not is_for_text then null
            when text_draw < {text_control} then 'holdout'
            when
                text_draw < {text_control}
                + if(entered_at < at_day({text_changed_day}), {early_share}, {early_share_changed})
                then 'text_30m'
            else 'text_4h'
        end as text_arm,
        sms_fate(concat('cart:', cart_key, ':sms')) as text_fate
    from left_carts
),

decided as (
    select
        judged.*,
        if(saw_shipping, 0.36, 0.06) as chance,
        buys_draw < chance as buys_if_held_out,
        if(
            draw(cart_key, 'at once') < 0.08,
            15 + delay_draw * 200, 300 + delay_draw * delay_draw * 6600
        ) as own_delay,
        90 + delay_draw * delay_draw * 4000 as moved_delay,
        -- who buys within the hour leaves before the e-mail, in either arm
        email_fate = 'sent' and not (buys_if_held_out and own_delay < 60) as is_reachable,
        buys_draw < chance + if(is_reachable, {effect}::double, 0.0) as buys_if_treated,
        buys_draw < chance + if(
            text_fate = 'sent' and not (buys_if_held_out and own_delay < 30),
            {text_effect}::double, 0.0
        ) as buys_if_texted,
        case
            when text_arm = 'text_30m' then buys_if_texted
            when is_for_text or is_held_out then buys_if_held_out
            else buys_if_treated
        end as buys
    from judged
)

select
    i,
    n,
    slot,
    cart_key,
    subject_key,
    category_number,
    abandoned_at,
    entered_at,
    saw_shipping,
    is_held_out,
    email_fate,
    buys_if_held_out,
    buys_if_treated,
    buys_if_texted,
    text_arm,
    text_fate,
    entered_at + to_seconds(5) as assigned_at,
    case
        when buys then
            entered_at + to_seconds(cast(floor(
                if(buys_if_held_out, own_delay, moved_delay) * 60
            ) as bigint))
    end as ordered_at,
    {brand} as workspace_id,
    if(is_for_text, {text}, {cart}) as campaign_id
from decided
order by i, n;

-- The sister brand holds out half, into a mailbox of its own, and moves nobody.
create table sister_carts as
select
    i,
    1 as n,
    9 as slot,
    concat('sister:', i) as cart_key,
    concat('sister:', i) as subject_key,
    category_number,
    at_day({sister_start_day} + draw(i, 'sister cart') * 120) as abandoned_at,
    abandoned_at + to_minutes(10) as entered_at,
    draw(i, 'sister split') < {sister_control_share} as is_held_out,
    email_fate(concat('sister:', i, ':email'), true) as email_fate,
    entered_at + to_seconds(5) as assigned_at,
    case
        when draw(i, 'sister buys') < 0.15 then
            entered_at + to_seconds(cast(7200 + floor(draw(i, 'sister delay') * 400000) as bigint))
    end as ordered_at,
    {sister} as workspace_id,
    {cart} as campaign_id
from persons
where in_sister and draw(i, 'sister leaves') < 0.75
order by i;
