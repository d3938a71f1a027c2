{%- set threshold_vars = [
    "experiments_linked_outcomes_share", "experiments_minimum_events", "insight_minimum_gaps",
    "insight_selected_share",
] %}
with

guardrails as (
    select * from {{ ref("guardrails") }}
),

limited as (
    select
        code,
        severity,
        family,
        measure,
        population,
        comparison,
        case threshold_var
            {% for name in threshold_vars -%}
            when '{{ name }}' then cast({{ var(name) }} as double)
            {% endfor -%}
            else threshold
        end as threshold,
        threshold_var,
        unit,
        label,
        sentence
    from guardrails
)

select * from limited
