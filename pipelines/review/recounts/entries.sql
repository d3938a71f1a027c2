-- Entries of a journey, by week.
with

counted as (
    select
        count(*) as count_rows,
        count(*) as count_entries,
        count(*) filter (entered_at >= $as_of - interval 7 day) as count_entries_week,
        count(*) filter (
            entered_at < $as_of - interval 7 day and entered_at >= $as_of - interval 14 day
        ) as count_entries_previous_week
    from {fct_journey_entries}
    where
        workspace_id = $workspace_id
        and journey_id = $journey_id
)

select
    *,
    case
        when $change_entries is not null
            then (count_entries_week - count_entries_previous_week) / count_entries_previous_week
    end as change_entries
from counted
