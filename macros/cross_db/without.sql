{% macro without(value, pattern) -%}
    {#- A text without whatever matches the pattern. -#}
    {{ return(adapter.dispatch("without", "counterfoil")(value, pattern)) }}
{%- endmacro %}

{% macro default__without(value, pattern) -%}
    regexp_replace({{ value }}, r'{{ pattern }}', '')
{%- endmacro %}

{% macro duckdb__without(value, pattern) -%}
    regexp_replace({{ value }}, '{{ pattern }}', '', 'g')
{%- endmacro %}
