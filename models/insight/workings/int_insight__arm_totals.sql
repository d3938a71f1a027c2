{%- set questions = ["funnel", "landmark", "pressure"] %}
-- A new question is a model of totals and a name in this list: what it says of the arms is the estimator's.
with

{% for question in questions -%}
{{ question }}_totals as (
    select * from {{ ref("int_insight__" ~ question ~ "_totals") }}
),

{% endfor -%}
united as (
    {% for question in questions -%}
    select * from {{ question }}_totals
    {{ "union all" if not loop.last }}
    {% endfor %}
),

-- Something happened to a person or did not: their sum, and those of its powers, are their number.
totalled as (
    select
        question,
        cohort_key,
        workspace_id,
        journey_id,
        experiment_key,
        population,
        stratum,
        metric_key,
        arm,
        'any' as aggregation,
        allocation_version,
        cast(count_units as {{ dbt.type_bigint() }}) as count_units,
        cast(null as {{ dbt.type_bigint() }}) as count_reached,
        cast(count_persons as {{ dbt.type_bigint() }}) as count_nonzero,
        cast(count_events as {{ dbt.type_bigint() }}) as count_events,
        cast(count_persons as double) as sum_y,
        cast(count_persons as double) as sum_yy,
        cast(count_persons as double) as sum_yyy,
        cast(null as double) as sum_yd,
        true as is_current,
        {{ as_of() }} as read_at
    from united
)

select * from totalled
