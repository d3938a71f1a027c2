{% macro cadences() -%}
    {#- How often something may be told, most often first. Hours between two publishes: CADENCES in
        pipelines/heap/marts.py. -#}
    {{ return(["realtime", "hourly", "daily"]) }}
{%- endmacro %}
