create table appearing as
select
    workspace_id,
    i,
    slot,
    case when is_listed then cio_id end as cio_id
from profiles;

create table attribute_rows as
with held as (
    select
        persons.*,
        profiles.workspace_id,
        profiles.slot,
        profiles.created_at as held_from
    from persons
    inner join profiles using (i)
    where profiles.slot = 0 and profiles.is_listed
),

united as (
    select
        workspace_id,
        i,
        slot,
        'favourite_category' as name,
        category as value,
        held_from
    from held
    where kind in ('regular', 'vip', 'one_time')
    union all
    select
        workspace_id,
        i,
        slot,
        'cio_timezone',
        'America/New_York',
        held_from
    from held
    where draw(i, 'zone') < 0.15
    union all
    -- numbers from the range that is set aside for fiction
    select
        workspace_id,
        i,
        slot,
        'Phone Number',
        concat('+1202555', lpad((100 + i % 100)::varchar, 4, '0')),
        held_from
    from held
    where draw(i, 'phone') < 0.05
    union all
    select
        workspace_id,
        i,
        slot,
        'cio_subscription_preferences',
        '{"topics":{"topic_1":' || (draw(i, 'topic') < 0.5)::varchar || '}}',
        greatest(held_from, at_day(40))
    from held
    where draw(i, 'prefers') < 0.03 and active_until_day > 179
    union all
    select
        workspace_id,
        i,
        slot,
        'ads_consent',
        (draw(i, 'ads') < {consent_share})::varchar,
        held_from
    from held
    where workspace_id = {brand} and draw(i, 'asked') < {asked_share}
    union all
    select
        {brand},
        i,
        slot,
        'cohort_winback',
        if(is_held_out, 'holdout', 'treatment'),
        assigned_at
    from winbacks
    union all
    select
        messages.workspace_id,
        messages.i,
        messages.slot,
        'unsubscribed',
        list_extract(['true', 'True', '1', 'TRUE'], 1 + pick(messages.message_key, 'true', 4)),
        occurred_at + to_seconds(1)
    from reactions
    inner join messages using (delivery_id)
    where metric = 'unsubscribed'
)

select
    united.*,
    batch_of(held_from) as batch
from united;
