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
        '{{ step }}' as measure,
        count({{ step }}_at) as count_persons,
        sum(case when drop_off_step = '{{ step }}' then 1 else 0 end) as count_events
    from funnels
    group by cohort_key, coalesce(arm, ''), allocation_version
    {{ "union all" if not loop.last }}
    {% endfor %}
),

{{ counted_by_cohort("funnel", steps, "walked") }}

select * from counted
