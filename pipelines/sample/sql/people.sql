create table persons as
with numbered as (
    select
        i,
        case
            when i % 1000 between 530 and 541 then 'shared_mailbox'
            -- a larger sample has no more curated merges: the registry does not grow
            when i % 250 = 6 and i >= {first_uncurated} then 'none'
            else case i % 250 {noise_names} else 'none' end
        end as noise,
        draw(i, 'kind') as kind_draw,
        draw(i, 'identifiers') as identifiers_draw,
        draw(i, 'joined') as joined_draw,
        cast(floor(draw(i, 'category') * {count_categories}) as integer) as category_number
    from range({people}) as numbers (i)
),

described as (
    select
        numbered.* exclude (kind_draw, identifiers_draw, joined_draw),
        case
            when noise = 'deleted_before_first_sync' then 'prospect'
            when kind_draw < 0.20 then 'lapsed'
            when kind_draw < 0.36 then 'one_time'
            when kind_draw < 0.52 then 'prospect'
            when kind_draw < 0.93 then 'regular'
            else 'vip'
        end as kind,
        case noise
            when 'none' then identifiers_draw >= 0.10 or i in (17, 267, 517, 767)
            else noise != 'email_case'
        end as has_id,
        case noise when 'none' then identifiers_draw < 0.96 else true end as has_email,
        -- whoever has a story was a customer before the history began
        case
            when noise != 'none' or kind_draw < 0.20 or joined_draw < 0.72
                then -1 - joined_draw * 700
            else (joined_draw - 0.72) / 0.28 * 150
        end as joined_day,
        -- whoever leaves does so after the last thing they do
        case
            when noise in ('deleted', 'suppressed') then 110
            when noise = 'deleted_before_first_sync' then 18
            else 179.9
        end as active_until_day,
        120 + draw(i, 'gone') * 40 as gone_day
    from numbered
)

select
    described.*,
    list_extract([{category_names}], category_number + 1) as category,
    list_extract([{category_cycles}], category_number + 1) as cycle_days,
    list_extract([{category_prices}], category_number + 1) as price,
    noise = 'none' and i % 9 = 0 and has_id and has_email as in_sister,
    case
        when noise = 'placeholder_id' then if(i % 500 < 250, 'guest', 'null')
        when noise = 'id_changed' then concat('old-', 100000 + i)
        when has_id then customer_number(i)
    end as customer_id,
    case
        when noise = 'shared_mailbox' then concat('orders.', i // 1000, '@shared.example.org')
        when has_email then address(i, noise)
    end as email
from described
order by i;

-- One row per profile. Slot 1 is a person's second profile, slot 9 the sister brand's.
create table profiles as
with held as (
    select
        {brand} as workspace_id,
        i,
        0 as slot,
        joined_day as created_day
    from persons
    union all
    select
        {brand},
        i,
        1,
        if(noise = 'recreated', 72.02, -joined_draw_days)
    from (
        select
            i,
            noise,
            draw(i, 'second profile') * 300 + 1 as joined_draw_days
        from persons
        where noise in ('merged', 'shared_customer_id', 'shared_email', 'recreated')
    ) as doubled
    union all
    select
        {sister},
        i,
        9,
        -1 - draw(i, 'sister') * 300
    from persons
    where in_sister
)

select
    held.workspace_id,
    held.i,
    held.slot,
    cio_id(held.workspace_id, held.i, held.slot) as cio_id,
    at_day(held.created_day) as created_at,
    -- never listed, and blank wherever they acted
    persons.noise != 'deleted_before_first_sync' as is_listed
from held
inner join persons on held.i = persons.i
order by held.workspace_id, held.i, held.slot;

-- What each profile was, from when on.
create table people_versions as
with first_states as (
    select
        profiles.workspace_id,
        profiles.i,
        profiles.slot,
        case
            when profiles.slot = 9 then concat('L', 100000 + profiles.i)
            when profiles.slot = 1 and noise in ('merged', 'shared_email') then null
            when profiles.slot = 1 and noise = 'shared_customer_id'
                then concat(' ', customer_id, ' ')
            else customer_id
        end as customer_id,
        case
            when profiles.slot = 1 and noise = 'merged'
                then concat('shopper.', 100000 + profiles.i, '.home@example.net')
            when profiles.slot = 1 and noise = 'shared_customer_id' then null
            when profiles.slot = 1 and noise = 'shared_email' then upper(email)
            when profiles.slot = 9 and profiles.i % 2 = 0 then upper(email)
            else email
        end as email,
        false as deleted,
        false as suppressed,
        profiles.created_at as held_from
    from profiles
    inner join persons on profiles.i = persons.i
),

changes as (
    select
        first_states.* replace (
            case when noise = 'id_changed' then customer_number(i) else customer_id end
                as customer_id,
            case noise
                when 'email_changed' then concat('shopper.', 100000 + i, '.new@example.com')
                when 'email_moved_from' then concat('shopper.', 100000 + i, '.moved@example.com')
                -- five days after its first holder gave it up, the address belongs to a stranger
                when 'email_moved_to' then concat('shopper.', 100000 + i - 1, '@example.com')
                when 'email_case' then concat('Shopper.', 100000 + i, '@Example.COM')
                else email
            end as email,
            noise in ('deleted', 'merged', 'recreated') as deleted,
            noise = 'suppressed' as suppressed,
            case noise
                when 'id_changed' then at_day(90)
                when 'email_changed' then at_day(95)
                when 'email_moved_from' then at_day(100)
                when 'email_moved_to' then at_day(105)
                when 'email_case' then at_day(80)
                when 'merged' then at_day(100)
                when 'recreated' then at_day(72)
                else at_day(gone_day)
            end as held_from
        )
    from first_states
    inner join (select
        i,
        noise,
        gone_day
    from persons) as stories using (i)
    where
        (slot = 0 and noise in (
            'id_changed', 'email_changed', 'email_moved_from', 'email_moved_to', 'email_case',
            'deleted', 'suppressed', 'recreated'
        ))
        or (slot = 1 and noise = 'merged')
)

select
    workspace_id,
    i,
    slot,
    customer_id,
    email,
    deleted,
    suppressed,
    held_from,
    false as is_change
from first_states
union all
select
    workspace_id,
    i,
    slot,
    customer_id,
    email,
    deleted,
    suppressed,
    held_from,
    true
from changes;

-- The slot a person acts under, at their n-th doing.
create macro slot_at(noise, n, instant) as case
    when noise in ('shared_customer_id', 'shared_email') then n % 2
    when noise = 'merged' and instant < at_day(99) then n % 2
    when noise = 'recreated' and instant >= at_day(72.02) then 1
    else 0
end;
