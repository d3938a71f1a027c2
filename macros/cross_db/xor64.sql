{% macro xor64(left, right) -%}
    {#- Exclusive or of two bigints. -#}
    {{ return(adapter.dispatch("xor64", "counterfoil")(left, right)) }}
{%- endmacro %}

{% macro default__xor64(left, right) -%}
    ({{ left }} ^ {{ right }})
{%- endmacro %}

{% macro duckdb__xor64(left, right) -%}
    xor({{ left }}, {{ right }})
{%- endmacro %}
