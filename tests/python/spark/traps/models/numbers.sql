select
    place,
    {{ rounded("number") }} as rounded,
    {{ money("cast(counted as decimal(38, 2))") }} as money,
    {#- a half of the last decimal goes up on one engine, and where the double lies on the other -#}
    case when number is null or number * 1000 % 10 between -4 and 4 then {{ fixed_decimals("number", 2) }} end as fixed_decimals,
    {{ grouped_digits("counted") }} as grouped_digits,
    {{ xor64("counted", "cast(4294967291 as bigint)") }} as xor64
from {{ source("nasty", "numbers") }}
