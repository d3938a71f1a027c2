-- uniform in [0, 1)
create macro draw(key, what) as
cast(concat('0x', substr(md5(concat('{seed_number}:', what, ':', key)), 1, 8)) as bigint)
/ 4294967296.0::double;

-- one of 0 to count - 1; and an interval of whole minutes
create macro pick(key, what, count) as (floor(draw(key, what) * count))::integer;
create macro minutes(number) as to_minutes((floor(number))::bigint);

-- the instant of a day of the history, whole seconds
create macro at_day(day) as
timestamp '{start}' + to_seconds((floor(day * 86400))::bigint);
-- Monday is 0, by the clock of the history (UTC)
create macro weekday_of(day) as isodow(at_day(day)) - 1;
create macro day_of(instant) as
epoch(instant - timestamp '{start}') / 86400.0;

-- the batch of files in which a row of that instant leaves Customer.io
create macro batch_of(instant) as cast(greatest(1, least(
    {batches}, ceil(day_of(instant) / {export_days})
)) as integer);

-- shapes of ids: a 26-character ULID, a 32-character delivery token, a 12-digit cio_id
create macro ulid(key) as
concat('01', upper(substr(md5(concat('{seed_number}:ulid:', key)), 1, 24)));
create macro delivery_token(key) as
substr(to_base64(encode(md5(concat('{seed_number}:delivery:', key)))), 1, 32);
-- not of the seed: curated merges name these, and registries do not change with the seed
create macro cio_id(workspace_id, i, slot) as
substr(md5(concat('cio:', workspace_id, ':', i, ':', slot)), 1, 12);

-- ids as they grow over the years of a brand: of any length, many the beginning of another one, a
-- few of them words that stand in texts, or the number of a campaign
create macro customer_number(i) as case
    when i in (17, 267, 517, 767)
        then list_extract(['coffee', 'email', 'order_placed', '101'], 1 + i // 250)
    when i % 3 = 0 then concat('C', i)
    when i % 3 = 1 then concat('customer-', i)
    else concat('M', 100000 + i)
end;
-- addresses of their own that begin or end as somebody else's does
create macro address(i, noise) as case
    when noise = 'none' and i % 20 = 18 then concat('jo.shopper.', 100000 + i - 1, '@example.com')
    when noise = 'none' and i % 20 = 19
        then concat('shopper.', 100000 + i - 2, '@example.com.example.net')
    else concat('shopper.', 100000 + i, '@example.com')
end;

create macro as_typed(email) as
concat(upper(email[1]), replace(email[2:], '@example', '@Example'));

-- rises with time, needs 64 bits; a row that leaves again is newer
create macro sequence_number(instant, again) as epoch_ms(instant) * 1000 + again * 7;

-- what became of a message: only `sent` reaches anybody
create macro email_fate_of(draw) as list_extract(
    ['bounced', 'dropped', 'failed', 'undeliverable', 'sent'],
    1 + (draw >= 0.012)::integer + (draw >= 0.020)::integer + (draw >= 0.024)::integer
    + (draw >= 0.027)::integer
);
create macro email_fate(key, has_email) as
if(has_email, email_fate_of(draw(key, 'fate')), 'undeliverable');
create macro sms_fate(key) as list_extract(
    ['bounced', 'failed', 'sent'],
    1 + (draw(key, 'fate') >= 0.012)::integer + (draw(key, 'fate') >= 0.024)::integer
);
create macro push_fate(key) as if(draw(key, 'fate') < 0.020, 'failed', 'sent');
create macro in_app_fate(key) as if(draw(key, 'fate') < 0.010, 'failed', 'sent');
