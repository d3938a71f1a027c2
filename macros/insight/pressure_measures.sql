{% macro pressure_measures() -%}
    {#- What a person can receive of us, and what they can do about it. -#}
    {{- return([
        "messages", "marketing_messages", "transactional_messages",
        "unsubscribed", "complained", "bounced",
    ]) -}}
{%- endmacro %}
