{% macro normalised(value, rules="rules") -%}
    {#- The identifier as its rule wants it compared; null where nothing but blanks is left of it. -#}
    case
        when {{ trimmed(value) }} = '' then null
        when {{ rules }}.is_trimmed and {{ rules }}.is_lowered then {{ lowered(trimmed(value)) }}
        when {{ rules }}.is_trimmed then {{ trimmed(value) }}
        when {{ rules }}.is_lowered then {{ lowered(value) }}
        else {{ value }}
    end
{%- endmacro %}
