insert into audience_landings
with told as (
    select distinct audience_key, cio_id
    from audience_state
    where target = $target and destination_id = $segment and told = 'added'
),

present as (
    select distinct cio_id
    from audience_memberships
    where target = $target and destination_id = $segment
),

known as (
    select distinct audience_key
    from audience_state
    where target = $target and destination_id = $segment
)

select
    $target, known.audience_key, $segment,
    (select count(*) from told where told.audience_key = known.audience_key),
    (select count(*) from told inner join present using (cio_id) where told.audience_key = known.audience_key),
    (select count(*) from told left join present using (cio_id)
        where told.audience_key = known.audience_key and present.cio_id is null),
    (select count(*) from present where cio_id not in (select cio_id from told)),
    $now
from known
