create table messages as
with cart_emails as (
    select
        workspace_id,
        i,
        slot,
        subject_key,
        concat(subject_key, ':email') as message_key,
        'email' as channel,
        campaign_id,
        if(is_held_out, 1012, 1011) as action_id,
        entered_at + to_minutes(60) as created_at,
        email_fate as fate,
        is_held_out as is_trapped,
        ordered_at as orders_at
    from (
        select
            workspace_id,
            i,
            slot,
            subject_key,
            campaign_id,
            is_held_out,
            entered_at,
            email_fate,
            ordered_at
        from carts
        where campaign_id = {cart}
        union all
        select
            workspace_id,
            i,
            slot,
            subject_key,
            campaign_id,
            is_held_out,
            entered_at,
            email_fate,
            ordered_at
        from sister_carts
    ) as left_carts
    where ordered_at is null or ordered_at > entered_at + to_minutes(60)
),

-- only to people who have seen shipping rates and have not bought: a choice in cart recovery, and a
-- coin in the journey that took its place
cart_texts as (
    select
        workspace_id,
        i,
        slot,
        subject_key,
        concat(subject_key, ':sms') as message_key,
        if(draw(subject_key, 'spelling') < 0.5, 'sms', 'twilio') as channel,
        campaign_id,
        case text_arm when 'text_30m' then 1071 when 'text_4h' then 1072 else 1013 end,
        entered_at + to_minutes(if(text_arm = 'text_30m', 30, 240)) as created_at,
        text_fate,
        false,
        ordered_at
    from carts
    where
        saw_shipping and coalesce(text_arm != 'holdout', not is_held_out)
        and (ordered_at is null or ordered_at > created_at)
),

reminders as (
    select
        {brand},
        i,
        slot,
        subject_key,
        concat(subject_key, ':email'),
        'email',
        {replenishment},
        1021,
        entered_at + to_minutes(10),
        email_fate,
        false,
        if(ordered_at < entered_at + to_hours({window_hours}), ordered_at, null)
    from replenishments
    where not is_held_out
),

winback_messages as (
    select
        {brand},
        i,
        slot,
        subject_key,
        concat(subject_key, ':', kind),
        if(kind = 'email', 'email', if(i % 2 = 0, 'in_app', 'in-app')),
        {winback},
        if(kind = 'email', 1031, 1032),
        entered_at + if(kind = 'email', to_minutes(5), to_hours(72)),
        if(kind = 'email', email_fate, in_app_fate(concat(subject_key, ':', kind))),
        false,
        ordered_at
    from winbacks
    cross join (values ('email'), ('in_app')) as kinds (kind)
    where
        not is_held_out
        and (kind = 'email' or ordered_at is null or ordered_at > entered_at + to_hours(72))
),

other_messages as (
    select
        {brand},
        i,
        slot,
        subject_key,
        concat(subject_key, ':', kind),
        case kind when 'in_app' then if(i % 2 = 0, 'in_app', 'in-app') else kind end,
        campaign_id,
        case campaign_id
            when {welcome}
                then case kind when 'email' then 1041 when 'in_app' then 1042 else 1043 end
            when {browse} then 1061 when {draft} then 1051 else 2011
        end,
        entered_at
        + case kind
            when 'email' then to_minutes(3) when 'in_app' then to_hours(24) else to_minutes(4)
        end,
        case
            when campaign_id = {draft} then 'drafted'
            when kind = 'webhook' then if(draw(subject_key, 'webhook') < 0.02, 'failed', 'sent')
            when kind = 'email' then email_fate(subject_key, has_email)
            else in_app_fate(subject_key)
        end,
        false,
        null
    from other_entries
    cross join (values ('email'), ('in_app'), ('webhook')) as kinds (kind)
    where kind = 'email' or campaign_id = {welcome}
),

nudges_sent as (
    select
        {brand},
        i,
        slot,
        subject_key,
        concat(subject_key, ':push') as message_key,
        'push',
        {push},
        1081,
        entered_at + to_minutes(2),
        push_fate(message_key),
        false,
        ordered_at
    from nudges
    where not is_held_out
),

price_drop_emails as (
    select
        {brand},
        i,
        slot,
        subject_key,
        message_key,
        'email',
        {price_drop},
        1091,
        entered_at + to_minutes(5),
        email_fate,
        false,
        ordered_at
    from price_drops
    where not has_left
),

in_journeys as (
    select * from cart_emails
    union all
    select * from cart_texts
    union all
    select * from reminders
    union all
    select * from winback_messages
    union all
    select * from other_messages
    union all
    select * from nudges_sent
    union all
    select * from price_drop_emails
),

letters as (
    select
        i,
        slot_at(noise, 2, at_day(day)) as slot,
        concat('letter:', newsletter_id, ':', i) as message_key,
        newsletter_id,
        if(draw(message_key, 'content') < 0.5, content_a, content_b) as content_id,
        at_day(day + 0.6) + to_seconds(i % 1800) as created_at,
        email_fate(message_key, true) as fate
    from persons
    cross join (values {letter_rows}) as letters (newsletter_id, day, content_a, content_b)
    where
        has_email and joined_day < day and active_until_day > day
        and draw(i, 'subscribes') < 0.6
),

confirmations as (
    select
        i,
        slot_at(noise, 2, ordered_at) as slot,
        concat('receipt:', order_key) as message_key,
        ordered_at + to_seconds(40) as created_at,
        email_fate(message_key, true) as fate
    from orders
    inner join persons using (i)
    where has_email and not is_sister
),

united as (
    select
        in_journeys.*,
        price_drops.leaving,
        null::integer as newsletter_id,
        null::integer as content_id,
        null::integer as transactional_message_id
    from in_journeys
    left join price_drops using (subject_key)
    union all
    select
        {brand},
        i,
        slot,
        null,
        message_key,
        'email',
        null,
        null,
        created_at,
        fate,
        false,
        null,
        null,
        newsletter_id,
        content_id,
        null
    from letters
    union all
    select
        {brand},
        i,
        slot,
        null,
        message_key,
        'email',
        null,
        null,
        created_at,
        fate,
        false,
        null,
        null,
        null,
        null,
        {order_confirmation}
    from confirmations
)

select
    united.*,
    delivery_token(message_key) as delivery_id,
    batch_of(created_at) as batch,
    if(orders_at > created_at + to_seconds(60), orders_at, null) as converts_at
from united
where day_of(created_at) < {history_days} - 0.01;
