-- The rule of the house: a number that may not be told is not there to be read.
{%- set headlines = {
    "fct_lift_history": [
        "lift", "lift_low", "lift_high", "lift_relative", "lift_relative_low", "lift_relative_high",
        "incremental", "incremental_low", "incremental_high", "p_value", "q_value",
    ],
    "fct_lift_within_tiers": ["lift", "lift_low", "lift_high"],
    "fct_lift_adjusted": ["lift", "lift_low", "lift_high"],
    "fct_effect_on_the_reached": ["effect", "standard_error", "effect_low", "effect_high"],
} %}
with

united as (
    {% for relation, columns in headlines.items() -%}
    {% set is_last_relation = loop.last -%}
    {% for column in columns -%}
    select
        '{{ relation }}.{{ column }}' as headline,
        experiment_key,
        metric_key,
        arm,
        status
    from {{ ref(relation) }}
    where {{ column }} is not null
    {{ "union all" if not (is_last_relation and loop.last) }}
    {% endfor -%}
    {% endfor %}
)

select *
from united
where status not in ('ok', 'underpowered')
