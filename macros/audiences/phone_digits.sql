{% macro phone_digits(value) -%}
    {#-
        The digits of a phone number as E.164 has them, country code first; null for what is no such
        number. One without a country code has that of the var audiences_country_code; else none.
    -#}
    {%- set digits = without(value, "[^0-9]") -%}
    {%- set code = var("audiences_country_code") | string -%}
    {%- set number -%}
    case
        when {{ trimmed(value) }} like '+%' then {{ digits }}
        when {{ digits }} like '00%' then {{ without(digits, "^00") }}
        {%- if code %}
        else '{{ code }}' || {{ without(digits, "^0+") }}
        {%- endif %}
    end
    {%- endset -%}
    case when length({{ number }}) between 7 and 15 and {{ number }} not like '0%' then {{ number }} end
{%- endmacro %}
