{% macro normalised(value, rules="rules") -%}
    {#- The identifier as its rule wants it compared; null where nothing is left of it. -#}
    nullif(
        case
            when {{ rules }}.is_trimmed and {{ rules }}.is_lowered then lower(trim({{ value }}))
            when {{ rules }}.is_trimmed then trim({{ value }})
            when {{ rules }}.is_lowered then lower({{ value }})
            else {{ value }}
        end,
        ''
    )
{%- endmacro %}
