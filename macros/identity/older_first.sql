{% macro older_first(profiles="known_profiles") -%}
    {#- The order in which profiles give their id to a person: the oldest first, unknown ages last. -#}
    {{ profiles }}.created_at nulls last, {{ profiles }}.first_seen_at nulls last, {{ profiles }}.cio_id
{%- endmacro %}
