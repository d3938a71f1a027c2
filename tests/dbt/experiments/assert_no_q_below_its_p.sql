-- Benjamini and Hochberg only ever raise a p-value, and leave none without its q.
with

history as (
    select * from {{ ref("fct_lift_history") }}
)

select
    experiment_key,
    as_of,
    population,
    stratum,
    metric_key,
    arm,
    p_value,
    q_value
from history
where
    (p_value is null) <> (q_value is null)
    or q_value < p_value - 1e-12
    or p_value not between 0 and 1
    or q_value > 1
