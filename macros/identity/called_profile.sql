{% macro called_profile(bodies) -%}
    {#-
        The profile that a webhook body means: the vendor's, or one made of the identifier that it gives
        instead, which the identity rules then link to whoever holds it.
    -#}
    case
        when {{ bodies }}.cio_id is not null then {{ bodies }}.cio_id
        when {{ bodies }}.customer_id is not null then concat('customer_id:', {{ bodies }}.customer_id)
        when {{ bodies }}.email is not null then concat('email:', lower({{ bodies }}.email))
    end
{%- endmacro %}
