{% macro local_day_start(day, time_zone) -%}
    {#- The UTC instant at which a calendar day begins in a time zone (an IANA name, literal or
        column). Days of 23 and 25 hours are as long as they are. -#}
    {{ return(adapter.dispatch("local_day_start", "counterfoil")(day, time_zone)) }}
{%- endmacro %}

{% macro default__local_day_start(day, time_zone) -%}
    to_utc_timestamp(cast({{ day }} as timestamp), {{ time_zone }})
{%- endmacro %}

{% macro duckdb__local_day_start(day, time_zone) -%}
    {#- Of two midnights DuckDB takes the second. The first is reckoned with the offset of the day before,
        which is not that day's where the clocks go back across midnight without reaching it again. -#}
    {%- set midnight = "cast(" ~ day ~ " as timestamp)" -%}
    {%- set day_before = "(" ~ midnight ~ " - interval 1 day)" -%}
    {%- set first_midnight -%}
    ({{ midnight }} + ({{ day_before }} - timezone({{ time_zone }}, timezone('UTC', {{ day_before }}))))
    {%- endset -%}
    {%- set last_midnight = "timezone('UTC', timezone(" ~ time_zone ~ ", " ~ midnight ~ "))" -%}
    case
        when {{ local_date(first_midnight, time_zone) }} < {{ day }} then {{ last_midnight }}
        else least({{ first_midnight }}, {{ last_midnight }})
    end
{%- endmacro %}
