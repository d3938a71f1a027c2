{%- set steps = funnel_steps() -%}
{%- set measures = pressure_measures() %}
with

cohorts as (
    select * from {{ ref("int_insight__cohorts") }}
),

funnels as (
    select * from {{ ref("int_insight__funnels") }}
),

pressure as (
    select * from {{ ref("int_insight__pressure") }}
),

landmarks as (
    select * from {{ ref("int_insight__landmarks") }}
),

arms as (
    select * from {{ ref("int_experiments__arms") }}
),

counted_cohorts as (
    select
        cohort_key,
        workspace_id,
        journey_id,
        experiment_key,
        arm,
        allocation_version,
        count(*) as count_units
    from cohorts
    group by
        cohort_key, workspace_id, journey_id, experiment_key, arm, allocation_version
),

-- An arm that nobody is in yet is a row too: it is what makes the figure refuse.
all_arms as (
    select
        concat('experiment:', arms.experiment_key) as cohort_key,
        arms.workspace_id,
        cast(arms.campaign_id as {{ dbt.type_string() }}) as journey_id,
        arms.experiment_key,
        arms.arm,
        arms.allocation_version,
        coalesce(counted_cohorts.count_units, 0) as count_units
    from arms
    left join counted_cohorts
        on
            arms.experiment_key = counted_cohorts.experiment_key
            and arms.arm = counted_cohorts.arm
            and arms.allocation_version = counted_cohorts.allocation_version
    union all
    select
        cohort_key,
        workspace_id,
        journey_id,
        experiment_key,
        arm,
        allocation_version,
        count_units
    from counted_cohorts
    where experiment_key is null
),

all_steps as (
    {% for step in steps -%}
    select
        {{ loop.index }} as step_number,
        '{{ step }}' as measure
    {{ "union all" if not loop.last }}
    {% endfor %}
),

walked as (
    select
        cohort_key,
        coalesce(arm, '') as arm,
        allocation_version,
        {%- for step in steps %}
        sum(case when drop_off_step = '{{ step }}' then 1 else 0 end) as count_dropped_{{ loop.index }},
        {%- endfor %}
        {%- for step in steps %}
        count({{ step }}_at) as count_persons_{{ loop.index }},
        {%- endfor %}
        count(*) as count_units
    from funnels
    group by cohort_key, coalesce(arm, ''), allocation_version
),

funnel_counts as (
    select
        'funnel' as topic,
        all_steps.measure,
        all_arms.cohort_key,
        all_arms.workspace_id,
        all_arms.journey_id,
        all_arms.experiment_key,
        all_arms.arm,
        all_arms.allocation_version,
        all_arms.count_units,
        coalesce(
            case all_steps.step_number
                {%- for step in steps %}
                when {{ loop.index }} then walked.count_persons_{{ loop.index }}
                {%- endfor %}
            end,
            0
        ) as count_persons,
        coalesce(
            case all_steps.step_number
                {%- for step in steps %}
                when {{ loop.index }} then walked.count_dropped_{{ loop.index }}
                {%- endfor %}
            end,
            0
        ) as count_events
    from all_arms
    cross join all_steps
    left join walked
        on
            all_arms.cohort_key = walked.cohort_key
            and coalesce(all_arms.arm, '') = walked.arm
            and all_arms.allocation_version = walked.allocation_version
),

all_measures as (
    {% for measure in measures -%}
    select '{{ measure }}' as measure
    {{ "union all" if not loop.last }}
    {% endfor %}
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

pressure_counts as (
    select
        'pressure' as topic,
        all_measures.measure,
        all_arms.cohort_key,
        all_arms.workspace_id,
        all_arms.journey_id,
        all_arms.experiment_key,
        all_arms.arm,
        all_arms.allocation_version,
        all_arms.count_units,
        coalesce(pressed.count_persons, 0) as count_persons,
        coalesce(pressed.count_events, 0) as count_events
    from all_arms
    cross join all_measures
    left join pressed
        on
            all_arms.cohort_key = pressed.cohort_key
            and coalesce(all_arms.arm, '') = pressed.arm
            and all_arms.allocation_version = pressed.allocation_version
            and all_measures.measure = pressed.measure
),

all_landmarks as (
    select distinct
        experiment_key,
        landmark
    from landmarks
),

landmark_counts as (
    select
        'landmark' as topic,
        all_landmarks.landmark as measure,
        all_arms.cohort_key,
        all_arms.workspace_id,
        all_arms.journey_id,
        all_arms.experiment_key,
        all_arms.arm,
        all_arms.allocation_version,
        coalesce(landmarks.count_units, 0) as count_units,
        coalesce(landmarks.count_persons, 0) as count_persons,
        coalesce(landmarks.count_shown_before, 0) as count_events
    from all_arms
    inner join all_landmarks
        on all_arms.experiment_key = all_landmarks.experiment_key
    left join landmarks
        on
            all_arms.experiment_key = landmarks.experiment_key
            and all_arms.arm = landmarks.arm
            and all_arms.allocation_version = landmarks.allocation_version
            and all_landmarks.landmark = landmarks.landmark
),

united as (
    select * from funnel_counts
    union all
    select * from pressure_counts
    union all
    select * from landmark_counts
)

select * from united
