{% macro money(expression) -%}
    {#- A sum as money, decimal(18,2); null where it is too large for that. -#}
    case
        when {{ expression }} between -9999999999999999.99 and 9999999999999999.99
            then cast({{ expression }} as decimal(18, 2))
    end
{%- endmacro %}
