{% macro older_first(profiles="known_profiles") -%}
    {#- The order in which profiles give their id to a person: the oldest first, unknown ages last.
        `none` for a select from one table, whose columns need no table name. -#}
    {%- set of = profiles ~ "." if profiles else "" -%}
    {{ of }}created_at asc nulls last, {{ of }}first_seen_at asc nulls last, {{ of }}cio_id asc
{%- endmacro %}
