{% macro message_states() -%}
    {#- What is known of a person before a message, as columns of int_insight__risk_sets: each is read by
        itself, and all people together as `everybody`. -#}
    {{- return({"everybody": "'all'", "shipping_rates": "shipping_rates", "intent_tier": "intent_tier"}) -}}
{%- endmacro %}
