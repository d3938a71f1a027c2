-- Newcombe (1998), method 10, and Wilson limits as published, to four and six digits.
{%- set z = "1.959963984540054" %}
with

differences as (
    {% for x1, n1, x0, n0, low, high in [
        (56, 70, 48, 80, 0.0524, 0.3339), (9, 10, 3, 10, 0.1705, 0.8090),
        (6, 7, 2, 7, 0.0582, 0.8062), (5, 56, 0, 29, -0.0381, 0.1926),
        (0, 10, 0, 20, -0.1611, 0.2775), (0, 10, 0, 10, -0.2775, 0.2775),
        (10, 10, 0, 20, 0.6791, 1.0), (10, 10, 0, 10, 0.6075, 1.0),
    ] -%}
    select
        {{ newcombe_low(
            x1 / n1, wilson_low(x1 ~ ".0", n1 ~ ".0", z), x0 / n0, wilson_high(x0 ~ ".0", n0 ~ ".0", z)
        ) }} as low,
        {{ newcombe_high(
            x1 / n1, wilson_high(x1 ~ ".0", n1 ~ ".0", z), x0 / n0, wilson_low(x0 ~ ".0", n0 ~ ".0", z)
        ) }} as high,
        {{ low }} as published_low,
        {{ high }} as published_high,
        0.00005 as tolerance
    union all
    {% endfor -%}
    {% for x, n, low, high in [
        (0, 10, 0, 0.277533), (1, 10, 0.017876, 0.404150), (5, 10, 0.236593, 0.763407),
        (0, 20, 0, 0.161125), (20, 20, 0.838875, 1),
    ] -%}
    select
        {{ wilson_low(x ~ ".0", n ~ ".0", z) }} as low,
        {{ wilson_high(x ~ ".0", n ~ ".0", z) }} as high,
        {{ low }} as published_low,
        {{ high }} as published_high,
        0.0000005 as tolerance
    {{ "union all" if not loop.last }}
    {% endfor %}
)

select *
from differences
where
    abs(low - published_low) > tolerance
    or abs(high - published_high) > tolerance
