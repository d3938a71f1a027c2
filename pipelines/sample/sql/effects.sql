select
    experiment_key,
    count(*),
    count(*) filter (is_mature),
    count(*) filter (is_mature and arm = 'treatment'),
    count(*) filter (is_mature and arm = 'treatment' and y),
    count(*) filter (is_mature and arm = 'holdout'),
    count(*) filter (is_mature and arm = 'holdout' and y),
    count(*) filter (is_mature and y_treated),
    count(*) filter (is_mature and y_held_out),
    count(*) filter (count_arms > 1)
from true_arms
group by experiment_key
