{% macro forever() -%}
    {#- Later than every event: stands in for "no end" inside comparisons, never in a result. -#}
    cast('9999-12-31 00:00:00' as timestamp)
{%- endmacro %}
