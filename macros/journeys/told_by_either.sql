{% macro told_by_either(one, other) -%}
    {#- True where either says so, null where neither says anything. -#}
    coalesce({{ one }} or {{ other }}, {{ one }}, {{ other }})
{%- endmacro %}
