create table heap_users as
select
    i,
    4000000000000000 + i * 104729 as user_id,
    case
        when customer_id is null or noise = 'placeholder_id'
            -- the site stored the address as it was typed
            then if(draw(i, 'typed') < 0.5, as_typed(email), email)
        when noise = 'id_changed' then customer_number(i)
        else customer_id
    end as identity,
    email,
    at_day(greatest(joined_day, -400)) as joindate,
    at_day(least(active_until_day, 179)) as last_modified,
    draw(i, 'heap sessions') as sessions_draw,
    joined_day,
    active_until_day
from persons
where draw(i, 'in heap') < if(has_id, 0.87, 0.60) and noise != 'deleted_before_first_sync'
union all
-- the sister brand's site feeds the same Heap environment under its own ids
select
    i,
    5000000000000000 + i * 104729 as user_id,
    concat('L', 100000 + i) as identity,
    email,
    at_day(greatest(joined_day, -400)) as joindate,
    at_day(least(active_until_day, 179)) as last_modified,
    1.0 - draw(i, 'sister heap sessions') * 0.9 - 0.05 as sessions_draw,
    joined_day,
    active_until_day
from persons
where in_sister and draw(i, 'sister in heap') < 0.9
order by user_id;

create table heap_sessions as
select
    user_id * 8 + n as session_id,
    user_id,
    at_day(
        greatest(joined_day, 0)
        + draw(concat(i, ':', n), 'session') * (active_until_day - greatest(joined_day, 0))
    ) as time,
    case
        when sessions_draw < 0.04 then 'server'
        when draw(concat(i, ':', n), 'library') < 0.8 then 'web'
        else 'ios'
    end as library,
    case
        when sessions_draw < 0.04 then null when library = 'ios' then 'mobile' else 'desktop'
    end
        as platform
from heap_users
cross join range(3) as numbers (n)
-- two in a hundred have a row and no session at all
where n < 1 + floor(draw(i, 'session count') * 3) and sessions_draw < 0.98
order by user_id, session_id;

-- an anonymous browser that was identified later; its row survives the merge
create table heap_migrations as
select
    user_id + 1 as from_user_id,
    user_id as to_user_id,
    at_day(greatest(joined_day, 0) + 1) as time
from heap_users
where draw(i, 'was anonymous') < 0.15 and greatest(joined_day, 0) + 1 < {history_days}
order by from_user_id;
