{% macro new_to_heap() -%}
    {#- Why nothing is told of somebody whom Heap Connect has never seen, where heap_newcomers.csv says hold. -#}
    'new to Heap'
{%- endmacro %}
