insert into audience_landings
with told as (
    select
        audience_key,
        cio_id,
        max(case when told = 'added' then 1 else 0 end) = 1 as is_ours
    from audience_state
    where target = $target and destination_id = $segment
    group by audience_key, cio_id
),

present as (
    select distinct cio_id
    from audience_memberships
    where target = $target and destination_id = $segment
),

counted as (
    select
        told.audience_key,
        count(case when told.is_ours then 1 end) as count_told,
        count(case when told.is_ours then present.cio_id end) as count_landed
    from told
    left join present on told.cio_id = present.cio_id
    group by told.audience_key
),

foreigners as (
    select count(*) as count_foreign
    from present
    left join told on present.cio_id = told.cio_id and told.is_ours
    where told.cio_id is null
)

select
    $target as target,
    counted.audience_key,
    $segment as destination_id,
    counted.count_told,
    counted.count_landed,
    counted.count_told - counted.count_landed as count_missing,
    foreigners.count_foreign,
    $now as read_at
from counted
cross join foreigners
