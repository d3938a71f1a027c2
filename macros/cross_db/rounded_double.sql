{% macro rounded_double(number) -%}
    {#- A floating number as the whole one next to it, floating too; a half goes to the even one. -#}
    {{ return(adapter.dispatch("rounded_double", "counterfoil")(number)) }}
{%- endmacro %}

{% macro default__rounded_double(number) -%}
    rint({{ number }})
{%- endmacro %}

{% macro duckdb__rounded_double(number) -%}
    round_even({{ number }}, 0)
{%- endmacro %}
