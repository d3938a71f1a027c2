{% macro file_literal(path) -%}
    {#- A path as SQL text that stands for this one file, whatever signs are in it. -#}
    {{ return(adapter.dispatch("file_literal", "counterfoil")(path)) }}
{%- endmacro %}

{% macro default__file_literal(path) -%}
    {{ return(dbt.string_literal(dbt.escape_single_quotes(path))) }}
{%- endmacro %}

{% macro duckdb__file_literal(path) -%}
    {#- DuckDB reads a path as a pattern; a sign in brackets is itself -#}
    {%- set escaped = path | replace("[", "[[]") | replace("*", "[*]") | replace("?", "[?]") -%}
    {{ return(dbt.string_literal(dbt.escape_single_quotes(escaped))) }}
{%- endmacro %}
