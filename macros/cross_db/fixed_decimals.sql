{% macro fixed_decimals(number, decimals) -%}
    {#-
        A number as text, rounded to so many decimals; they stand there even when they are zero. A half goes
        away from zero. It is rounded before it is written, for engines write what is no exact half as they like;
        and zero has no sign.
    -#}
    {%- set double = "cast(" ~ number ~ " as double)" -%}
    {%- set unit = 10 ** decimals ~ ".0" -%}
    {%- set exact -%}
        case
            when abs({{ double }}) < {{ 2 ** 52 // 10 ** decimals }}
                then (round({{ double }} * {{ unit }}) + 0.0) / {{ unit }}
            else {{ double }}
        end
    {%- endset -%}
    {{ return(adapter.dispatch("fixed_decimals", "counterfoil")(exact, decimals)) }}
{%- endmacro %}

{% macro default__fixed_decimals(number, decimals) -%}
    {#- Of no number Java writes the first letters of `null`: as many as there are decimals. -#}
    case when {{ number }} is not null then format_string('%.{{ decimals }}f', {{ number }}) end
{%- endmacro %}

{% macro duckdb__fixed_decimals(number, decimals) -%}
    format('{:.{{ decimals }}f}', {{ number }})
{%- endmacro %}
