create table other_entries as
select
    i,
    0 as slot,
    concat('welcome:', i) as subject_key,
    {welcome} as campaign_id,
    null::integer as trigger_id,
    at_day(joined_day) + to_minutes(2) as entered_at,
    has_email
from persons
where joined_day >= 0
union all
-- stopped at day 90, half-way through the history
select
    i,
    slot_at(noise, 2, at_day(25)),
    concat('browse:', i),
    {browse},
    null,
    at_day(25 + draw(i, 'browse') * 65),
    has_email
from persons
where i % 13 = 0 and joined_day < 20 and active_until_day > 100
union all
select
    i,
    0,
    concat('draft:', i),
    {draft},
    null,
    at_day(100 + draw(i, 'draft') * 5),
    has_email
from persons
where i % 300 = 0 and joined_day < 90 and active_until_day > 120
union all
select
    i,
    slot_at(noise, 2, at_day(day)),
    concat('broadcast:', trigger_id, ':', i),
    {broadcast},
    trigger_id,
    at_day(day) + to_seconds(i % 3600),
    has_email
from persons
cross join (values (1, 10), (2, 118)) as calls (trigger_id, day)
where
    joined_day < day and active_until_day > day
    and (i % 5 = 0 or noise = 'deleted_before_first_sync');
