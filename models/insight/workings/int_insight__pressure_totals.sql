{%- set measures = pressure_measures() %}
with

cohort_arms as (
    select * from {{ ref("int_insight__cohort_arms") }}
),

pressure as (
    select * from {{ ref("int_insight__pressure") }}
),

pressed as (
    select
        cohort_key,
        coalesce(arm, '') as arm,
        allocation_version,
        measure,
        count(*) as count_persons,
        sum(count_events) as count_events
    from pressure
    group by cohort_key, coalesce(arm, ''), allocation_version, measure
),

all_measures as (
    {% for measure in measures -%}
    select '{{ measure }}' as measure
    {{ "union all" if not loop.last }}
    {% endfor %}
),

counted as (
    select
        'pressure' as question,
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
        coalesce(pressed.count_persons, 0) as count_persons,
        coalesce(pressed.count_events, 0) as count_events
    from cohort_arms
    cross join all_measures
    left join pressed
        on
            cohort_arms.cohort_key = pressed.cohort_key
            and coalesce(cohort_arms.arm, '') = pressed.arm
            and cohort_arms.allocation_version = pressed.allocation_version
            and all_measures.measure = pressed.measure
)

select * from counted
