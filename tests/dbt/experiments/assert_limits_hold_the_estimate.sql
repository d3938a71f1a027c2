-- Whichever interval is shown, and after whatever adjustment.
{%- set estimates = [
    ("fct_lift_history", "lift", "lift_low", "lift_high"),
    ("fct_lift_history", "incremental", "incremental_low", "incremental_high"),
    ("fct_lift_history", "lift_relative", "lift_relative_low", "lift_relative_high"),
    ("fct_lift_within_tiers", "lift", "lift_low", "lift_high"),
    ("fct_lift_adjusted", "lift", "lift_low", "lift_high"),
    ("fct_effect_on_the_reached", "effect", "effect_low", "effect_high"),
] %}
with

united as (
    {% for relation, estimate, low, high in estimates -%}
    select
        '{{ relation }}.{{ estimate }}' as estimated,
        experiment_key,
        metric_key,
        arm,
        {{ estimate }} as estimate,
        {{ low }} as low,
        {{ high }} as high
    from {{ ref(relation) }}
    {{ "union all" if not loop.last }}
    {% endfor %}
)

-- The slack is that of the last digit: a limit may coincide with its estimate.
select *
from united
where
    (low is null) <> (high is null)
    or (low is not null and estimate is null)
    or low > estimate + 1e-9 * greatest(1.0, abs(estimate))
    or high < estimate - 1e-9 * greatest(1.0, abs(estimate))
