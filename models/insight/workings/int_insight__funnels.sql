{%- set steps = funnel_steps() %}
-- Each step is the first event at or after the step before it: a step walked out of order is none.
with

cohorts as (
    select * from {{ ref("int_insight__cohorts") }}
),

behavior_events as (
    select * from {{ ref("int_identity__behavior_events") }}
),

step_0 as (
    select
        cohort_key,
        person_id,
        starts_at as reached_at,
        ends_at
    from cohorts
),

{% for step in steps %}
step_{{ loop.index }} as (
    select
        step_{{ loop.index0 }}.cohort_key,
        step_{{ loop.index0 }}.person_id,
        min(behavior_events.occurred_at) as reached_at,
        step_{{ loop.index0 }}.ends_at
    from step_{{ loop.index0 }}
    inner join behavior_events
        on
            step_{{ loop.index0 }}.person_id = behavior_events.person_id
            and behavior_events.behavior = '{{ step }}'
            and step_{{ loop.index0 }}.reached_at <= behavior_events.occurred_at
            and step_{{ loop.index0 }}.ends_at > behavior_events.occurred_at
    group by
        step_{{ loop.index0 }}.cohort_key,
        step_{{ loop.index0 }}.person_id,
        step_{{ loop.index0 }}.ends_at
),

{% endfor %}
walked as (
    select
        cohorts.cohort_key,
        cohorts.person_id,
        cohorts.workspace_id,
        cohorts.journey_id,
        cohorts.experiment_key,
        cohorts.arm,
        cohorts.allocation_version,
        case
            {%- for step in steps %}
            when step_{{ loop.index }}.person_id is null then '{{ step }}'
            {%- endfor %}
        end as drop_off_step,
        {%- for step in steps %}
        step_{{ loop.index }}.reached_at as {{ step }}_at,
        {%- endfor %}
        cohorts.starts_at,
        cohorts.ends_at
    from cohorts
    {% for step in steps -%}
    left join step_{{ loop.index }}
        on
            cohorts.cohort_key = step_{{ loop.index }}.cohort_key
            and cohorts.person_id = step_{{ loop.index }}.person_id
    {% endfor %}
)

select * from walked
