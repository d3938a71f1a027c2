select
    experiment_key,
    arm,
    count(*),
    count(*) filter (is_mature),
    count(*) filter (is_mature and y),
    count(*) filter (is_mature and y_treated),
    count(*) filter (is_mature and y_held_out),
    count(*) filter (count_arms > 1)
from true_arms
group by experiment_key, arm
order by experiment_key, arm
