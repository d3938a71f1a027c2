{% macro segment_budget() -%}
    {#- How many segments may leave for Heap at as_of: a dictionary with least and most. The override
        (var segment_budget_override) holds when it is complete and until its day. -#}
    {%- set budget = var("segment_budget") -%}
    {%- set override = var("segment_budget_override") or {} -%}
    {%- if override.get("most") and override.get("owner") and override.get("expires_on")
        and iso_seconds(override["expires_on"]) > iso_seconds(as_of_text()) -%}
        {%- set budget = dict(budget, most=override["most"]) -%}
    {%- endif -%}
    {{ return(budget) }}
{%- endmacro %}
