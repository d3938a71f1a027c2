{% macro whole_number(text) -%}
    {#- The whole number that a text says, as bigint; null for a fraction and whatever else. -#}
    case
        when {{ safe_cast_as(text, "double") }} % 1 = 0
            then {{ safe_cast_as(text, "bigint") }}
    end
{%- endmacro %}
