{% macro end_of_time() -%}
    {#- After every instant: stands for an open end inside comparisons, never in a result. -#}
    cast('9999-12-31 00:00:00' as timestamp)
{%- endmacro %}
