{%- set steps = funnel_steps() %}
with

cohort_arms as (
    select * from {{ ref("int_insight__cohort_arms") }}
),

funnels as (
    select * from {{ ref("int_insight__funnels") }}
),

walked as (
    {% for step in steps -%}
    select
        cohort_key,
        coalesce(arm, '') as arm,
        allocation_version,
        '{{ step }}' as step,
        count({{ step }}_at) as count_persons,
        sum(case when drop_off_step = '{{ step }}' then 1 else 0 end) as count_events
    from funnels
    group by cohort_key, coalesce(arm, ''), allocation_version
    {{ "union all" if not loop.last }}
    {% endfor %}
),

all_steps as (
    {% for step in steps -%}
    select '{{ step }}' as step
    {{ "union all" if not loop.last }}
    {% endfor %}
),

counted as (
    select
        'funnel' as question,
        cohort_arms.cohort_key,
        cohort_arms.workspace_id,
        cohort_arms.journey_id,
        cohort_arms.experiment_key,
        'itt' as population,
        'all' as stratum,
        all_steps.step as metric_key,
        cohort_arms.arm,
        cohort_arms.allocation_version,
        cohort_arms.count_units,
        coalesce(walked.count_persons, 0) as count_persons,
        coalesce(walked.count_events, 0) as count_events
    from cohort_arms
    cross join all_steps
    left join walked
        on
            cohort_arms.cohort_key = walked.cohort_key
            and coalesce(cohort_arms.arm, '') = walked.arm
            and cohort_arms.allocation_version = walked.allocation_version
            and all_steps.step = walked.step
)

select * from counted
