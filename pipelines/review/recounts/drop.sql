-- How many of an arm missed the step that is told first, counted from their funnels.
select
    count(*) as count_rows,
    count(case when drop_off_step = $step then 1 end) as count_dropped
from {int_insight__funnels}
where
    cohort_key = coalesce(
        'experiment:' || $experiment_key, 'journey:' || $workspace_id || ':' || $journey_id
    )
    and arm is not distinct from $arm
