{% macro called_profile(bodies) -%}
    {#-
        The profile that a webhook body means: the vendor's, or one made of the identifier that it gives
        instead, which the identity rules then link to whoever holds it. A word that means nobody makes no
        profile: all who are called by it would be one.
    -#}
    {%- set customer_id = somebody(bodies ~ ".customer_id") -%}
    {%- set email = somebody(bodies ~ ".email") -%}
    case
        when {{ bodies }}.cio_id is not null then {{ bodies }}.cio_id
        when {{ customer_id }} is not null then 'customer_id:' || {{ customer_id }}
        when {{ email }} is not null then 'email:' || {{ lowered(email) }}
    end
{%- endmacro %}
