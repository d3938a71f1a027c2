{% macro hash64(expression) -%}
    {#- A text as a non-negative bigint, for use within one run only: engines may change their hash
        between versions. Never a person id. -#}
    {{ return(adapter.dispatch("hash64", "counterfoil")(expression)) }}
{%- endmacro %}

{% macro default__hash64(expression) -%}
    (xxhash64({{ expression }}) & 9223372036854775807)
{%- endmacro %}

{% macro duckdb__hash64(expression) -%}
    cast(hash({{ expression }}) >> 1 as bigint)
{%- endmacro %}
