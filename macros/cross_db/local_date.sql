{% macro local_date(instant, time_zone) -%}
    {#- The calendar day of a UTC instant in a time zone (an IANA name, literal or column). -#}
    {{ return(adapter.dispatch("local_date", "counterfoil")(instant, time_zone)) }}
{%- endmacro %}

{% macro default__local_date(instant, time_zone) -%}
    cast(from_utc_timestamp({{ instant }}, {{ time_zone }}) as date)
{%- endmacro %}

{% macro duckdb__local_date(instant, time_zone) -%}
    cast(timezone({{ time_zone }}, timezone('UTC', {{ instant }})) as date)
{%- endmacro %}
