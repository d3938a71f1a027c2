{% macro heap_cadences() -%}
    {#- Every model that declares itself Heap's (`config.meta.heap`): a list of dictionaries with
        name, kind, event, owner, cadence and reason, sorted by name. Empty while dbt still parses. -#}
    {%- set found = [] -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() if node.resource_type == "model" -%}
            {%- set heap = (node.config.meta or {}).get("heap") -%}
            {%- if heap is mapping -%}
                {%- do found.append({
                    "name": node.name,
                    "kind": heap.get("kind") or "",
                    "event": heap.get("event") or "",
                    "owner": heap.get("owner") or "",
                    "cadence": heap.get("cadence") or "",
                    "reason": heap.get("reason") or "",
                }) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found | sort(attribute="name")) }}
{%- endmacro %}
