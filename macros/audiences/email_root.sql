{% macro email_root(value) -%}
    {#- What is left of an address when tag, dots and case go, as platforms may read it: two addresses
        with one root may be one person's. -#}
    {%- set name = without(without(lowered("split_part(" ~ value ~ ", '@', 1)"), "[+][^@]*"), "[.]") -%}
    {{ dbt.concat([name, "'@'", lowered("split_part(" ~ value ~ ", '@', 2)")]) }}
{%- endmacro %}
