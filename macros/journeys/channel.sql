{% macro channel(delivery_type) -%}
    {#- One word a channel: the vendor spells SMS and in-app in several ways. Unknown words stay. -#}
    case
        when lower({{ delivery_type }}) in ('sms', 'twilio') then 'sms'
        when replace(lower({{ delivery_type }}), '-', '_') = 'in_app' then 'in_app'
        else coalesce(lower(trim({{ delivery_type }})), 'unknown')
    end
{%- endmacro %}
