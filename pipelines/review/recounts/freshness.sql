-- How long ago the last row of a family happened, counted from its days.
select
    count(*) as count_rows,
    floor(datediff('second', max(last_event_at), $as_of) / 3600.0) as hours_since_last_event
from {int_loads__daily_counts}
where
    grain = 'family'
    and family = $family
