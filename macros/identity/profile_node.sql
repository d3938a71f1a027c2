{% macro profile_node(workspace_id, cio_id) -%}
    {#- A profile as one text: the node of the identity graph. -#}
    cast({{ workspace_id }} as {{ dbt.type_string() }}) || ':' || {{ cio_id }}
{%- endmacro %}
