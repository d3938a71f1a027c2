-- Quantiles of the standard normal, as scipy gives them, to 1e-13 of their size.
with

quantiles as (
    {% for probability, expected in [
        ("0.5", "0.0"), ("0.975", "1.959963984540054"), ("0.95", "1.6448536269514722"),
        ("0.995", "2.5758293035489004"), ("0.9995", "3.2905267314918945"),
        ("0.025", "-1.959963984540054"), ("0.6", "0.2533471031357997"),
        ("1e-12", "-7.034483825301131"), ("0.99999", "4.264890793922602"),
    ] -%}
    select
        {{ normal_quantile("cast(" ~ probability ~ " as double)") }} as quantile,
        cast({{ expected }} as double) as expected
    {{ "union all" if not loop.last }}
    {% endfor %}
)

select *
from quantiles
where abs(quantile - expected) > 1e-13 * greatest(1.0, abs(expected)) * 10
