{% macro spark__dateadd(datepart, interval, from_date_or_timestamp) -%}
    {#- dbt-spark's own drops fractions of a second. -#}
    {%- set part, factor = {"week": ("day", 7), "quarter": ("month", 3)}.get(datepart, (datepart, 1)) -%}
    (cast({{ from_date_or_timestamp }} as timestamp) + cast(({{ interval }}) * {{ factor }} as bigint) * interval '1' {{ part }})
{%- endmacro %}
