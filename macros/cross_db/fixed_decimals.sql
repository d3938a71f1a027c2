{% macro fixed_decimals(number, decimals) -%}
    {#- A number as text, rounded to so many decimals; they stand there even when they are zero. -#}
    {{ return(adapter.dispatch("fixed_decimals", "counterfoil")(number, decimals)) }}
{%- endmacro %}

{% macro default__fixed_decimals(number, decimals) -%}
    {#- Of no number Java writes the first letters of `null`: as many as there are decimals. -#}
    case
        when {{ number }} is not null
            then format_string('%.{{ decimals }}f', cast({{ number }} as double))
    end
{%- endmacro %}

{% macro duckdb__fixed_decimals(number, decimals) -%}
    format('{:.{{ decimals }}f}', cast({{ number }} as double))
{%- endmacro %}
