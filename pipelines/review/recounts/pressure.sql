select
    count(*) as count_rows,
    count(*) as count_persons,
    coalesce(sum(count_events), 0) as count_events
from {int_insight__pressure}
where
    measure = $measure
    and cohort_key = coalesce(
        'experiment:' || $experiment_key, 'journey:' || $workspace_id || ':' || $journey_id
    )
    and arm is not distinct from $arm
