{% macro days_after(days, day, time_zone="time_zone") -%}
    {#- The UTC instant at which the calendar day `days` days after `day` begins where the brand
        lives: the only way a rule in days becomes an instant. -#}
    {{ local_day_start(dbt.dateadd("day", days, day), time_zone) }}
{%- endmacro %}
