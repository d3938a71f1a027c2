-- Shares stand beside the difference: whoever subtracts them finds it.
with

contrasts as (
    select * from {{ ref("int_insight__contrasts") }}
)

select
    question,
    experiment_key,
    stratum,
    metric_key,
    arm,
    rate,
    rate_control,
    difference
from contrasts
where
    abs(difference - (rate - rate_control)) > 1e-9
    or rate not between 0 and 1
    or rate_control not between 0 and 1
