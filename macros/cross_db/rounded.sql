{% macro rounded(number) -%}
    {#- A floating number as the whole one next to it, a bigint; a half goes to the even one. -#}
    {{ return(adapter.dispatch("rounded", "counterfoil")(number)) }}
{%- endmacro %}

{% macro default__rounded(number) -%}
    cast(rint({{ number }}) as bigint)
{%- endmacro %}

{% macro duckdb__rounded(number) -%}
    cast({{ number }} as bigint)
{%- endmacro %}
