{% macro json_text(column, key) -%}
    {#- What stands at a key of a JSON text, as a text: a text as it is, anything else as JSON. -#}
    {{ return(adapter.dispatch("json_text", "counterfoil")(column, key)) }}
{%- endmacro %}

{% macro default__json_text(column, key) -%}
    {{ parsed_json_text(column, key) }}
{%- endmacro %}

{% macro duckdb__json_text(column, key) -%}
    json_extract_string({{ column }}, '$.{{ key }}')
{%- endmacro %}
