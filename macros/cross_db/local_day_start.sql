{% macro local_day_start(day, time_zone) -%}
    {#- The UTC instant at which a calendar day begins in a time zone (an IANA name, literal or
        column). Days of 23 and 25 hours are as long as they are. -#}
    {{ return(adapter.dispatch("local_day_start", "counterfoil")(day, time_zone)) }}
{%- endmacro %}

{% macro default__local_day_start(day, time_zone) -%}
    to_utc_timestamp(cast({{ day }} as timestamp), {{ time_zone }})
{%- endmacro %}

{% macro duckdb__local_day_start(day, time_zone) -%}
    timezone('UTC', timezone({{ time_zone }}, cast({{ day }} as timestamp)))
{%- endmacro %}
