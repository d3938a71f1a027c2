{#- Newcombe's hybrid score limits of a difference of two rates (his method 10): each side moves
    by its own Wilson distance. -#}

{% macro newcombe_low(rate_1, wilson_low_1, rate_0, wilson_high_0) -%}
    {{ rate_1 }} - {{ rate_0 }} - sqrt(
        ({{ rate_1 }} - {{ wilson_low_1 }}) * ({{ rate_1 }} - {{ wilson_low_1 }})
        + ({{ wilson_high_0 }} - {{ rate_0 }}) * ({{ wilson_high_0 }} - {{ rate_0 }})
    )
{%- endmacro %}

{% macro newcombe_high(rate_1, wilson_high_1, rate_0, wilson_low_0) -%}
    {{ rate_1 }} - {{ rate_0 }} + sqrt(
        ({{ wilson_high_1 }} - {{ rate_1 }}) * ({{ wilson_high_1 }} - {{ rate_1 }})
        + ({{ rate_0 }} - {{ wilson_low_0 }}) * ({{ rate_0 }} - {{ wilson_low_0 }})
    )
{%- endmacro %}
