{% macro registered_experiments() -%}
    {#- The experiments of the registry, sorted: one arm property each. Empty until it is seeded. -#}
    {%- set registry = ref("experiments") -%}
    {%- set keys = [] -%}
    {%- if execute and load_relation(registry) is not none -%}
        {%- set found = run_query(
            "select distinct experiment_key from " ~ registry ~ " where experiment_key is not null order by experiment_key"
        ) -%}
        {%- do keys.extend(found.columns[0].values()) -%}
    {%- endif -%}
    {{ return(keys) }}
{%- endmacro %}
