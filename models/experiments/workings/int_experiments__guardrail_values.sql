with

measured as (
    {% for family in ["allocation", "labels", "visibility", "definitions", "size"] -%}
    select
        experiment_key,
        read_at,
        population,
        measure,
        value,
        threshold
    from {{ ref("int_experiments__guardrails_" ~ family) }}
    {{ "union all" if not loop.last }}
    {% endfor %}
)

select * from measured
