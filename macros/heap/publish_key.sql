{% macro publish_key(event, source_ids) -%}
    {#- Deterministic, from immutable source ids only: a name or a stamp that changes later
        must not make a second event. -#}
    md5(
        '{{ event }}'
        {%- for source_id in source_ids %}
        || '|' || coalesce(cast({{ source_id }} as {{ dbt.type_string() }}), '')
        {%- endfor %}
    )
{%- endmacro %}
