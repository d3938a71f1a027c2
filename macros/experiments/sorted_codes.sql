{% macro sorted_codes(conditions) -%}
    {#- The codes whose condition holds, in alphabetical order, joined with `||`; empty text when
        none holds. -#}
    substring(
        concat(
            {%- for code in conditions | sort %}
            case when {{ conditions[code] }} then '||{{ code }}' else '' end
            {{- "," if not loop.last }}
            {%- endfor %}
        ),
        3
    )
{%- endmacro %}
