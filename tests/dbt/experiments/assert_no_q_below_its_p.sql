-- Benjamini and Hochberg only ever raise a p-value, and leave none without its q.
select *
from {{ ref("fct_lift_history") }}
where
    (p_value is null) <> (q_value is null)
    or q_value < p_value - 1e-12
    or p_value not between 0 and 1
    or q_value > 1
