{% macro safe_cast_as(expression, type) -%}
    {#- The value in that type, or null where it is no such value. -#}
    {{ return(adapter.dispatch("safe_cast_as", "counterfoil")(expression, type)) }}
{%- endmacro %}

{% macro default__safe_cast_as(expression, type) -%}
    try_cast({{ expression }} as {{ type }})
{%- endmacro %}
