-- Shares stand beside the difference: whoever subtracts them finds it.
select *
from {{ ref("int_insight__contrasts") }}
where
    abs(difference - (rate - rate_control)) > 1e-9
    or rate not between 0 and 1
    or rate_control not between 0 and 1
