{% macro glued(texts) -%}
    {#- Texts, none of which may be null, behind one another. DuckDB cannot plan some chains of `||`. -#}
    concat({{ texts | join(", ") }})
{%- endmacro %}
