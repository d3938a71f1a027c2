{% macro heap_refusal_reason(person_id, occurred_at, heap_model) -%}
    {#- Why a row may not be sent, or null. Expects dim_persons joined as `persons`. -#}
    {%- set embargo_hours = heap_meta(heap_model).get("embargo_hours") or 0 -%}
    case
        when {{ person_id }} is null then 'no person can be resolved'
        when persons.person_id is null then 'no person can be resolved'
        when persons.match_status in ('deleted', 'suppressed', 'anonymous', 'ambiguous')
            then concat('person is ', persons.match_status)
        when persons.heap_identity is null then 'no identity'
        when length(persons.heap_identity) > 255 then 'identity too long'
        when not persons.is_publishable then 'person is not publishable'
        {%- if embargo_hours | int > 0 and occurred_at != "null" %}
        when {{ occurred_at }} >= {{ dbt.dateadd("hour", -(embargo_hours | int), as_of()) }} then 'embargo'
        {%- endif %}
    end
{%- endmacro %}

{% macro heap_meta(heap_model) -%}
    {#- The declared facts of a Heap model (`config.meta.heap`); empty while dbt is still parsing. -#}
    {%- set found = {} -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() if node.name == heap_model and node.resource_type == "model" -%}
            {%- do found.update(node.config.meta.get("heap", {})) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found) }}
{%- endmacro %}
