-- Conversions that Customer.io claims of a journey, by week.
select
    count(*) as count_rows,
    count(*) as count_claimed,
    count(*) filter (converted_at >= $as_of - interval 7 day) as count_claimed_week,
    count(*) filter (
        converted_at < $as_of - interval 7 day and converted_at >= $as_of - interval 14 day
    ) as count_claimed_previous_week
from {fct_goal_conversions}
where
    workspace_id = $workspace_id
    and journey_id = $journey_id
