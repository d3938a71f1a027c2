{% macro grouped_digits(number) -%}
    {#- A whole number as text, a comma between every three digits. -#}
    {{ return(adapter.dispatch("grouped_digits", "counterfoil")(number)) }}
{%- endmacro %}

{% macro default__grouped_digits(number) -%}
    format_number({{ number }}, 0)
{%- endmacro %}

{% macro duckdb__grouped_digits(number) -%}
    format('{:,}', cast({{ number }} as bigint))
{%- endmacro %}
