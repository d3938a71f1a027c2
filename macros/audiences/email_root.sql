{% macro email_root(value) -%}
    {#- What is left of an address when blanks, tag, dots and case go, as platforms may read it: two addresses
        with one root may be one person's. Both domains of gmail are one. -#}
    {%- set closed = without(value, "[" ~ blanks() ~ "]") -%}
    {%- set name = without(without(lowered("split_part(" ~ closed ~ ", '@', 1)"), "[+][^@]*"), "[.]") -%}
    {%- set domain = lowered("split_part(" ~ closed ~ ", '@', 2)") -%}
    {{ name }} || '@' || case when {{ domain }} = 'googlemail.com' then 'gmail.com' else {{ domain }} end
{%- endmacro %}
