{% macro heap_events() -%}
    {#-
        The events for Heap, in the order of a journey: for each <event> there are the candidates,
        int_heap__<event>, and what is told, heap_cio_<event>. dbt wants the names of refs before it
        knows its own graph, so they stand here, once; a model that declares itself Heap's and is
        not in this list stops the build.
    -#}
    {%- set events = [
        "journey_entered",
        "message_sent",
        "message_clicked",
        "goal_converted",
    ] -%}
    {%- if execute -%}
        {%- set told = heap_told(events) -%}
        {%- for model in heap_cadences() if model.name not in told -%}
            {{ exceptions.raise_compiler_error(
                model.name ~ " declares itself Heap's and is not known as such: name its event in heap_events()"
                ~ " (macros/heap/heap_events.sql)."
            ) }}
        {%- endfor -%}
    {%- endif -%}
    {{ return(events) }}
{%- endmacro %}

{% macro heap_told(events) -%}
    {#- The Heap models of these events, and the properties of persons. -#}
    {%- set names = [] -%}
    {%- for event in events -%}
        {%- do names.append("heap_cio_" ~ event) -%}
    {%- endfor -%}
    {{ return(names + ["heap_user_properties"]) }}
{%- endmacro %}
