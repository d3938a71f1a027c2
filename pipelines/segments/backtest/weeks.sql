with

weeks as (
    select unnest(generate_series(
        date_trunc('week', cast($since as timestamp)) + interval 7 day,
        cast($as_of as timestamp),
        interval 7 day
    )) as week_at
)

select
    weeks.week_at,
    count(distinct case when stays.version = $from_version then stays.person_id end) as members_from,
    count(distinct case when stays.version = $to_version then stays.person_id end) as members_to
from weeks
left join stays
    on
        weeks.week_at >= stays.entered_at
        and (stays.exited_at is null or weeks.week_at < stays.exited_at)
group by weeks.week_at
order by weeks.week_at
