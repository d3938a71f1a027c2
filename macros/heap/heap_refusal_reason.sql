{% macro heap_refusal_reason(person_id, occurred_at, heap_model) -%}
    {#-
        Why an event may not be sent, or null: the verdict of heap_persons on its person (expected as
        `persons`), then its time, then the model's embargo.
    -#}
    {%- set embargo_minutes = ((heap_meta(heap_model).get("embargo_hours") or 0) | float * 60) | int -%}
    case
        when {{ person_id }} is null or persons.person_id is null then 'no person can be resolved'
        when persons.refusal_reason is not null then persons.refusal_reason
        when {{ occurred_at }} is null then 'no timestamp'
        when {{ occurred_at }} < {{ epoch() }} then 'the timestamp is out of range'
        when {{ occurred_at }} > {{ as_of() }} then 'the timestamp is in the future'
        {%- if embargo_minutes > 0 %}
        when {{ occurred_at }} >= {{ dbt.dateadd("minute", -embargo_minutes, as_of()) }} then 'embargo'
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
