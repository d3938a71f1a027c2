{#- Limits of the difference of two independent estimates, from each one's own (MOVER): the form that
    Newcombe gave to two rates. -#}

{% macro mover_difference_low(estimate_1, low_1, estimate_0, high_0) -%}
    {{ newcombe_low(estimate_1, low_1, estimate_0, high_0) }}
{%- endmacro %}

{% macro mover_difference_high(estimate_1, high_1, estimate_0, low_0) -%}
    {{ newcombe_high(estimate_1, high_1, estimate_0, low_0) }}
{%- endmacro %}
