{% macro epoch() -%}
    {#- 1970-01-01: the vendor's way of saying that a time is not known. -#}
    cast('1970-01-01 00:00:00' as timestamp)
{%- endmacro %}
