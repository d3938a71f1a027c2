create table reactions as
with judged as materialized (
    select
        message_key,
        workspace_id,
        delivery_id,
        created_at,
        converts_at,
        fate,
        is_trapped,
        newsletter_id,
        channel,
        leaving,
        channel = 'email' as is_email,
        -- a webhook speaks to a system
        channel != 'webhook' as is_for_people,
        channel in ('email', 'in_app', 'in-app', 'push') as is_openable,
        channel in ('email', 'sms', 'twilio', 'push') as is_carried,
        fate = 'sent' and not is_trapped as is_real,
        transactional_message_id is not null as is_receipt,
        if(transactional_message_id is null, draw(message_key, 'opens'), 1.0) as open_draw,
        if(transactional_message_id is null, draw(message_key, 'clicks'), 1.0) as click_draw,
        if(transactional_message_id is null, draw(message_key, 'machine'), 1.0) as machine_draw,
        draw(message_key, 'later') as later_draw
    from messages
),

timed as materialized (
    select
        judged.*,
        created_at + to_seconds(cast(20 + floor(later_draw * 60) as bigint)) as sent_at,
        sent_at + to_seconds(cast(5 + floor(machine_draw * 90) as bigint)) as delivered_at,
        is_real and is_for_people
        and click_draw < if(converts_at is null, 0.035, 0.30) as is_clicked,
        -- between the message and the order, or within two days
        delivered_at + to_seconds(cast(floor(
            (0.05 + 0.9 * later_draw)
            * coalesce(epoch(converts_at - delivered_at), 172800)
        ) as bigint)) as clicked_at,
        is_real and is_openable and not is_receipt
        and (is_clicked or open_draw < if(converts_at is null, 0.22, 0.50)) as is_opened,
        delivered_at + (clicked_at - delivered_at) / 2 as opened_at
    from judged
),

sends as (
    select
        message_key,
        workspace_id,
        delivery_id,
        'sent' as metric,
        '' as nth,
        cast(null as varchar) as reason,
        cast(null as integer) as link_id,
        cast(null as boolean) as proxied,
        cast(null as boolean) as prefetched,
        cast(null as boolean) as machine,
        sent_at as occurred_at
    from timed
    where fate in ('sent', 'bounced')
),

-- a hand-off that failed and went through later
attempts as (
    select
        message_key,
        workspace_id,
        delivery_id,
        'attempted',
        '',
        'timeout, will be retried',
        cast(null as integer),
        cast(null as boolean),
        cast(null as boolean),
        cast(null as boolean),
        created_at + to_seconds(10)
    from timed
    where fate = 'sent' and draw(message_key, 'attempted') < 0.01
),

arrivals as (
    select
        message_key,
        workspace_id,
        delivery_id,
        'delivered',
        '',
        null,
        cast(null as integer),
        cast(null as boolean),
        cast(null as boolean),
        cast(null as boolean),
        delivered_at
    from timed
    where fate = 'sent' and is_carried
),

failures as (
    select
        message_key,
        workspace_id,
        delivery_id,
        fate,
        '',
        case fate
            when 'bounced' then '550 mailbox unavailable'
            when 'dropped' then 'suppressed'
            when 'failed' then 'HTTP 404 Not Found []'
            when 'undeliverable' then 'Variable ''customer.email'' is missing'
        end,
        cast(null as integer),
        cast(null as boolean),
        cast(null as boolean),
        cast(null as boolean),
        if(fate = 'bounced', delivered_at, sent_at)
    from timed
    where fate != 'sent'
),

late_bounces as (
    select
        message_key,
        workspace_id,
        delivery_id,
        'bounced',
        'late',
        '552 mailbox full',
        cast(null as integer),
        cast(null as boolean),
        cast(null as boolean),
        cast(null as boolean),
        delivered_at + to_hours(5)
    from timed
    where is_real and newsletter_id is not null and draw(message_key, 'bounces late') < 0.003
),

machine_opens as (
    select
        message_key,
        workspace_id,
        delivery_id,
        'opened',
        'machine',
        null,
        cast(null as integer),
        machine_draw < 0.08,
        machine_draw >= 0.08,
        cast(null as boolean),
        delivered_at + to_seconds(3)
    from timed
    where is_real and is_email and machine_draw < 0.35
),

opens as (
    select
        message_key,
        workspace_id,
        delivery_id,
        'opened',
        'human',
        null,
        cast(null as integer),
        false,
        false,
        cast(null as boolean),
        opened_at
    from timed
    where is_opened
),

clicks as (
    select
        message_key,
        workspace_id,
        delivery_id,
        'clicked',
        'human',
        null,
        cast(1 + floor(later_draw * 3) as integer),
        cast(null as boolean),
        cast(null as boolean),
        false,
        clicked_at
    from timed
    where is_clicked
),

machine_clicks as (
    select
        message_key,
        workspace_id,
        delivery_id,
        'clicked',
        'machine',
        null,
        link_id,
        cast(null as boolean),
        cast(null as boolean),
        true,
        delivered_at + to_seconds(2)
    from timed
    cross join (values (1), (2)) as links (link_id)
    where is_real and channel in ('email', 'sms', 'twilio') and machine_draw between 0.31 and 0.35
),

conversions as (
    select
        message_key,
        workspace_id,
        delivery_id,
        'converted',
        nth,
        null,
        cast(null as integer),
        cast(null as boolean),
        cast(null as boolean),
        cast(null as boolean),
        converts_at + to_seconds(seconds)
    from timed
    cross join (values ('first', 30), ('second', 150)) as times (nth, seconds)
    where
        fate = 'sent' and converts_at is not null
        and (nth = 'first' or draw(message_key, 'converts twice') < 0.12)
),

-- the longest goal window is 90 days; nothing in an export stops at it
late_conversions as (
    select
        message_key,
        workspace_id,
        delivery_id,
        'converted',
        cast(day as varchar),
        null,
        cast(null as integer),
        cast(null as boolean),
        cast(null as boolean),
        cast(null as boolean),
        sent_at + to_days(day)
    from timed
    cross join (values (89), (91)) as late_days (day)
    where
        is_real and newsletter_id = 7
        and draw(message_key, 'converts late') < 0.01
),

farewells as (
    select
        message_key,
        workspace_id,
        delivery_id,
        if(click_draw > 0.9995, 'spammed', 'unsubscribed'),
        '',
        null,
        cast(null as integer),
        cast(null as boolean),
        cast(null as boolean),
        cast(null as boolean),
        delivered_at + to_hours(3)
    from timed
    where
        is_real and channel in ('email', 'in_app', 'in-app') and not is_receipt
        and click_draw > 1 - coalesce(leaving, 0.006)
),

united as (
    select * from sends
    union all
    select * from attempts
    union all
    select * from arrivals
    union all
    select * from failures
    union all
    select * from late_bounces
    union all
    select * from machine_opens
    union all
    select * from opens
    union all
    select * from clicks
    union all
    select * from machine_clicks
    union all
    select * from conversions
    union all
    select * from late_conversions
    union all
    select * from farewells
),

stamped as (
    select
        united.* exclude (message_key, nth),
        ulid(concat(message_key, ':', metric, ':', nth, ':', link_id)) as event_id
    from united
    where day_of(occurred_at) < {history_days}
)

select
    stamped.*,
    -- two in a hundred reach the storage weeks late
    event_id[-3:] < '051' as is_late,
    least(batch_of(occurred_at) + if(is_late, 2, 0), {batches}) as batch
from stamped;
