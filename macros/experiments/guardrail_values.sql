{% macro guardrail_values(relation, measures, threshold="null") -%}
    {#- What a family of guardrails measures, from a relation with a row per experiment, reading and
        population: one row per measure, {measure: expression}. A null is a reading that has nothing to
        measure. `threshold` is for a measure whose limit is computed; all others stand in guardrails.csv. -#}
    {%- for measure, value in measures.items() %}
    select
        experiment_key,
        read_at,
        population,
        '{{ measure }}' as measure,
        cast({{ value }} as double) as value,
        cast({{ threshold }} as double) as threshold
    from {{ relation }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
{%- endmacro %}
