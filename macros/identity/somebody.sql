{% macro somebody(identifier, words="words") -%}
    {#- An identifier, or null where it is a word that means nobody; `words` as is_placeholder reads them. -#}
    case when not {{ is_placeholder(identifier, words) }} then {{ identifier }} end
{%- endmacro %}
