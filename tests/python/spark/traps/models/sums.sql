select
    place % 7 as bundle,
    {{ steady_sum("number") }} as steady_sum
from {{ source("nasty", "numbers") }}
where abs(number) < 1e6
group by place % 7
