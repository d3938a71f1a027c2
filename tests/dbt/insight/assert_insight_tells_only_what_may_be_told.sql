-- The rule of the house: a number that may not be told is not there to be read.
{%- set headlines = {
    "fct_checkout_funnel": ["difference", "difference_low", "difference_high"],
    "fct_message_timing": ["difference", "difference_low", "difference_high"],
    "fct_conversion_by_timing": ["difference", "difference_low", "together_low"],
    "fct_message_value": ["margin_per_message", "net_per_message_low", "margin_of_step"],
    "fct_credit_over_cause": ["incremental", "times_caused_low"],
    "fct_message_pressure": ["difference", "difference_low", "difference_high"],
    "fct_journey_credit": [
        "lift", "lift_low", "lift_high", "incremental", "incremental_low", "incremental_high",
    ],
    "fct_replenishment_effects": ["logrank_z"],
    "fct_reactivation_triage": ["net_margin", "net_margin_low", "net_margin_high"],
} %}
with

united as (
    {% for relation, columns in headlines.items() -%}
    {% set is_last_relation = loop.last -%}
    {% for column in columns -%}
    select
        '{{ relation }}.{{ column }}' as headline,
        experiment_key,
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
