-- The confidence sequence against gbstats' own test values: (estimate, standard error, units,
-- tuning n) of the published cases, their limits, and the two published rho.
with

cases as (
    {% for estimate, error, units, tuning, low, high in [
        (0.5033610858562358, 0.3334122146400735, 6461, 1000, -0.55844, 1.56516),
        (0.5038633516821496, 0.0338602147982312, 6461, 5000, 0.40098, 0.60675),
    ] -%}
    select
        {{ estimate }} - {{ sequence_halfwidth(
            error, units, sequence_rho_squared("0.05", tuning), "0.05"
        ) }} as low,
        {{ estimate }} + {{ sequence_halfwidth(
            error, units, sequence_rho_squared("0.05", tuning), "0.05"
        ) }} as high,
        {{ low }} as published_low,
        {{ high }} as published_high,
        0.00001 as tolerance
    union all
    {% endfor -%}
    {% for tuning, rho in [(5000, 0.03984007), (1000, 0.08908510)] -%}
    select
        sqrt({{ sequence_rho_squared("0.05", tuning) }}) as low,
        sqrt({{ sequence_rho_squared("0.05", tuning) }}) as high,
        {{ rho }} as published_low,
        {{ rho }} as published_high,
        0.00000001 as tolerance
    {{ "union all" if not loop.last }}
    {% endfor %}
)

select *
from cases
where
    abs(low - published_low) > tolerance
    or abs(high - published_high) > tolerance
