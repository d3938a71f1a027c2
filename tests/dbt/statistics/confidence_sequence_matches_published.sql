-- The confidence sequence against gbstats' own test values: (estimate, standard error, units,
-- tuning n) of the published cases, their limits, and the two published rho. The p-values are those of
-- pipelines/experiments/inference.py: Hillstrom's, the smallest that a permutation gives, and one that
-- stops at 1.
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
    union all
    {% endfor -%}
    {% for z, units, p_value in [
        (3.781626589537274, 42693, 0.005220628109746622), (3.7190164854556804, 5000, 0.006431125503260876),
        (0.6744897501960817, 5000, 1.0),
    ] -%}
    select
        {{ sequence_p_value(z, units, sequence_rho_squared("0.05", units)) }} as low,
        {{ sequence_p_value(z, units, sequence_rho_squared("0.05", units)) }} as high,
        {{ p_value }} as published_low,
        {{ p_value }} as published_high,
        0.000000000001 as tolerance
    {{ "union all" if not loop.last }}
    {% endfor %}
)

select *
from cases
where
    abs(low - published_low) > tolerance
    or abs(high - published_high) > tolerance
