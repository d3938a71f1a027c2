{% macro counted_by_cohort(question, measures, counts) -%}
    {#-
        The CTEs `all_measures` and `counted`: every measure of a question for every arm of
        `cohort_arms`, also where nothing was counted. `counts` has cohort_key, arm (empty for none),
        allocation_version, measure, count_persons, count_events.
    -#}
all_measures as (
    {% for measure in measures -%}
    select '{{ measure }}' as measure
    {{ "union all" if not loop.last }}
    {% endfor %}
),

counted as (
    select
        '{{ question }}' as question,
        cohort_arms.cohort_key,
        cohort_arms.workspace_id,
        cohort_arms.journey_id,
        cohort_arms.experiment_key,
        'itt' as population,
        'all' as stratum,
        all_measures.measure as metric_key,
        cohort_arms.arm,
        cohort_arms.allocation_version,
        cohort_arms.count_units,
        coalesce({{ counts }}.count_persons, 0) as count_persons,
        coalesce({{ counts }}.count_events, 0) as count_events
    from cohort_arms
    cross join all_measures
    left join {{ counts }}
        on
            cohort_arms.cohort_key = {{ counts }}.cohort_key
            and coalesce(cohort_arms.arm, '') = {{ counts }}.arm
            and cohort_arms.allocation_version = {{ counts }}.allocation_version
            and all_measures.measure = {{ counts }}.measure
)
{%- endmacro %}
