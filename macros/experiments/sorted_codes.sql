{% macro sorted_codes(conditions) -%}
    {#- The codes whose condition holds, in alphabetical order, joined with `||`; empty text when
        none holds. -#}
    substring(
        {%- for code in conditions | sort %}
        {{ "|| " if not loop.first }}case when {{ conditions[code] }} then '||{{ code }}' else '' end
        {%- endfor %},
        3
    )
{%- endmacro %}
