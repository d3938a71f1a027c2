{% macro is_placeholder(value, rules="rules") -%}
    {#- Whether the rule says that this value means nobody; in any case, for nobody means it otherwise. -#}
    {{ dbt.position("('|' || " ~ lowered(trimmed(value)) ~ " || '|')", rules ~ ".placeholder_values") }} > 0
{%- endmacro %}
