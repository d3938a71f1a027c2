{% macro spark__create_schema(relation) -%}
    {#- With the comment by which a build knows the schemas that it has made, to drop them when it is done. -#}
    {%- call statement("create_schema") -%}
        create schema if not exists {{ relation }} comment '{{ adapter.comment_of_schemas() }}'
    {%- endcall -%}
{%- endmacro %}
