{% macro message_id(relation="") -%}
    {#- What was to be shown, with its id space, since the spaces overlap. -#}
    {%- set prefix = relation ~ "." if relation else "" -%}
    case
        when {{ prefix }}transactional_message_id is not null
            then 'transactional:' || cast({{ prefix }}transactional_message_id as {{ dbt.type_string() }})
        when {{ prefix }}content_id is not null and {{ prefix }}action_id is null
            then 'content:' || cast({{ prefix }}content_id as {{ dbt.type_string() }})
        when {{ prefix }}newsletter_id is not null
            then 'newsletter:' || cast({{ prefix }}newsletter_id as {{ dbt.type_string() }})
        when {{ prefix }}action_id is not null
            then 'action:' || cast({{ prefix }}action_id as {{ dbt.type_string() }})
    end
{%- endmacro %}
