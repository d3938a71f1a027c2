{% macro rounded(number) -%}
    {#- A floating number as the whole one next to it, a bigint; a half goes to the even one. -#}
    cast({{ rounded_double(number) }} as bigint)
{%- endmacro %}

{% macro rounded_double(number) -%}
    {#- The same as a floating number, however large. -#}
    {{ return(adapter.dispatch("rounded_double", "counterfoil")(number)) }}
{%- endmacro %}

{% macro default__rounded_double(number) -%}
    rint({{ number }})
{%- endmacro %}

{% macro duckdb__rounded_double(number) -%}
    round_even({{ number }}, 0)
{%- endmacro %}
