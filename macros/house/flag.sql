{% macro flag(text) -%}
    {#- True or false as text of any case says it; null for what says neither. -#}
    case
        when {{ lowered(space_trimmed(text)) }} in ('true', 't', 'yes', 'y', 'on', '1', '1.0') then true
        when {{ lowered(space_trimmed(text)) }} in ('false', 'f', 'no', 'n', 'off', '0', '0.0') then false
    end
{%- endmacro %}
