{%- set questions = ["funnel", "landmark", "pressure", "risk_set"] %}
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

-- Cells of one experiment are read together: a claim must hold among all of them. Only those count that
-- could be told at all, which is known without looking at the arms.
readable as (
    select
        cohort_key,
        stratum,
        metric_key
    from risk_set_totals
    group by cohort_key, stratum, metric_key
    having
        sum(count_persons) >= 2 * {{ var("experiments_minimum_events") }}
        and sum(count_units - count_persons) >= 2 * {{ var("experiments_minimum_events") }}
),

families as (
    select
        cohort_key,
        count(*) as count_comparisons
    from readable
    group by cohort_key
),

read as (
    select
        united.*,
        cast(1 as {{ dbt.type_bigint() }}) as count_comparisons
    from united
    union all
    select
        'risk set, together' as question,
        {%- for column in [
            "cohort_key", "workspace_id", "journey_id", "experiment_key", "population", "stratum",
            "metric_key", "arm", "allocation_version", "count_units", "count_persons", "count_events",
        ] %}
        risk_set_totals.{{ column }},
        {%- endfor %}
        cast(families.count_comparisons as {{ dbt.type_bigint() }}) as count_comparisons
    from risk_set_totals
    inner join families
        on risk_set_totals.cohort_key = families.cohort_key
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
        count_comparisons,
        true as is_current,
        {{ as_of() }} as read_at
    from read
)

select * from totalled
