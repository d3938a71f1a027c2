{% macro spark__datediff(first_date, second_date, datepart) -%}
    {#-
        Marks of the clock or the calendar that were passed, as DuckDB counts them. dbt-spark's own evaluates
        each date five times, and counts hours that have begun instead.
    -#}
    {%- set first = "cast(" ~ first_date ~ " as timestamp)" -%}
    {%- set second = "cast(" ~ second_date ~ " as timestamp)" -%}
    {%- set seconds = {"second": 1, "minute": 60, "hour": 3600} -%}
    {%- if datepart in seconds -%}
        (
            cast(floor(unix_seconds({{ second }}) / {{ seconds[datepart] }}) as bigint)
            - cast(floor(unix_seconds({{ first }}) / {{ seconds[datepart] }}) as bigint)
        )
    {%- elif datepart == "day" -%}
        cast(datediff(cast({{ second }} as date), cast({{ first }} as date)) as bigint)
    {%- else -%}
        {{ exceptions.raise_compiler_error("datediff in " ~ datepart ~ "s is not told for this engine.") }}
    {%- endif -%}
{%- endmacro %}
