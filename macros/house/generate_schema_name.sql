{% macro generate_schema_name(custom_schema_name, node) -%}
    {#- One schema a layer, named as the folder is: relations are found by name in any of them. -#}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
