{% macro person_id(workspace_id, cio_id) -%}
    {#- The id of the person whose oldest profile this is. The same on every engine and in every order
        of loading; never an engine's own hash. -#}
    md5(concat(cast({{ workspace_id }} as {{ dbt.type_string() }}), ':', {{ cio_id }}))
{%- endmacro %}
