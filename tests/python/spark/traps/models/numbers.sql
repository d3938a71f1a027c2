select
    place,
    {{ rounded("number") }} as rounded,
    {{ money("cast(counted as decimal(38, 2))") }} as money,
    {{ fixed_decimals("number", 1) }} as one_decimal,
    {{ fixed_decimals("number", 2) }} as fixed_decimals,
    {{ share_text("number", 0) }} as share_text,
    {{ grouped_digits("counted") }} as grouped_digits,
    {{ xor64("counted", "cast(4294967291 as bigint)") }} as xor64
from {{ source("nasty", "numbers") }}
