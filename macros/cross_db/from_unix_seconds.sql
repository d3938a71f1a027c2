{% macro from_unix_seconds(seconds) -%}
    {#- The UTC instant so many seconds after 1970; null for what no calendar holds. -#}
    {{ return(adapter.dispatch("from_unix_seconds", "counterfoil")(seconds)) }}
{%- endmacro %}

{% macro default__from_unix_seconds(seconds) -%}
    timestamp_seconds(case when {{ seconds }} between 0 and 253402300799 then {{ seconds }} end)
{%- endmacro %}

{% macro duckdb__from_unix_seconds(seconds) -%}
    make_timestamp(
        case when {{ seconds }} between 0 and 253402300799 then {{ seconds }} * 1000000 end
    )
{%- endmacro %}
