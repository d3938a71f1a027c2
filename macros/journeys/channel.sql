{% macro channel(delivery_type) -%}
    {#- One word a channel: the vendor spells SMS and in-app in several ways. Unknown words stay. -#}
    {%- set word = lowered(not_blank(delivery_type)) %}
    case
        when {{ word }} in ('sms', 'twilio') then 'sms'
        when replace({{ word }}, '-', '_') = 'in_app' then 'in_app'
        else coalesce({{ word }}, 'unknown')
    end
{%- endmacro %}
