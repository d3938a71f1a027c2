{% macro placeholder_words(placeholders) -%}
    {#- The one row of words that mean nobody whatever the rule, from the registry of them. -#}
    select '|' || coalesce({{ lowered(joined_text("placeholder_values", "|")) }}, '') || '|' as placeholder_values
    from {{ placeholders }}
{%- endmacro %}
