-- An experiment that began with few held out: a hundred people of whom one is, then 1,000 against 1,000, and
-- two more such ramps. Of equal rates, one look at the sequence is wrong far less often than its error, which
-- is that of all looks: it would be six to eight times in a hundred if units that are alike had no variance.
-- The small arm is each of its outcomes, by its chance; the three large ones together are normal.
{% set rate = 0.1 -%}
{%- set large = 1000 -%}
with

digits as (
    {% for digit in range(10) -%}
    select {{ digit }} as digit
    {{ "union all" if not loop.last }}
    {% endfor %}
),

draws as (
    select
        {{ normal_quantile("(100 * third.digit + 10 * second.digit + first_digit.digit + 0.5) / 1000") }}
            as draw
    from digits as third
    cross join digits as second
    cross join digits as first_digit
),

outcomes as (
    {% for treated, held in [(99, 1), (495, 5), (980, 20)] -%}
    {%- set chance = namespace(now=(1 - rate) ** held) -%}
    {%- for count in range(held + 1) -%}
    select
        {{ treated }} as treated,
        {{ held }} as held,
        {{ count }} as count_of_held,
        cast('{{ chance.now }}' as double) as chance
    {{ "union all" if not loop.last }}
    {% set chance.now = chance.now * (held - count) / (count + 1) * rate / (1 - rate) -%}
    {%- endfor -%}
    {{ "union all" if not loop.last }}
    {% endfor %}
),

weighed as (
    select
        *,
        treated + held + 2.0 * {{ large }} as units,
        (treated + held) / (treated + held + 2.0 * {{ large }}) as weight_small,
        2.0 * {{ large }} / (treated + held + 2.0 * {{ large }}) as weight_large,
        {{ rate * (1 - rate) }} / treated as variance_treated,
        {{ rate * (1 - rate) * 2 / large }} as variance_large,
        {{ rate_sample_variance("count_of_held", "held") }} / held as variance_held
    from outcomes
),

looks as (
    select
        weighed.treated,
        weighed.held,
        weighed.chance / 1000 as chance,
        weighed.units,
        weighed.weight_small * ({{ rate }} - cast(weighed.count_of_held as double) / weighed.held)
        + draws.draw * sqrt(
            weighed.weight_small * weighed.weight_small * weighed.variance_treated
            + weighed.weight_large * weighed.weight_large * weighed.variance_large
        ) as difference,
        sqrt(
            weighed.weight_small * weighed.weight_small * (weighed.variance_treated + weighed.variance_held)
            + weighed.weight_large * weighed.weight_large * weighed.variance_large
        ) as standard_error
    from weighed
    cross join draws
),

wrong as (
    select
        treated,
        held,
        sum(chance) as share_of_looks,
        sum(
            case
                when
                    abs(difference) > {{ sequence_halfwidth(
                        "standard_error", "units", sequence_rho_squared("0.05", 2 * large), "0.05"
                    ) }}
                    then chance
                else 0
            end
        ) as share_wrong
    from looks
    group by treated, held
)

select *
from wrong
where
    share_wrong > 0.005
    or abs(share_of_looks - 1) > 1e-9
