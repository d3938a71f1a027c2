-- Who had not converted yet at a landmark, and who did after it. The clock is the assignment's in
-- both arms; or each person's first message, real or trapped, where the control is trapped.
with

people as (
    select * from {{ ref("int_experiments__people") }}
),

arms as (
    select * from {{ ref("int_experiments__arms") }}
),

metrics as (
    select * from {{ ref("metrics") }}
),

cohort_arms as (
    select * from {{ ref("int_insight__cohort_arms") }}
),

behavior_events as (
    select * from {{ ref("int_identity__behavior_events") }}
),

units as (
    select
        people.experiment_key,
        people.person_id,
        people.arm,
        people.allocation_version,
        people.has_control_trap,
        metrics.metric_key,
        metrics.behavior,
        people.assigned_at,
        people.window_ends_at,
        people.exposed_real_at,
        people.reached_first_at
    from people
    inner join arms
        on
            people.experiment_key = arms.experiment_key
            and people.arm = arms.arm
            and people.allocation_version = arms.allocation_version
    inner join metrics
        on arms.primary_metric = metrics.metric_key
    where
        arms.kind = 'journey_holdout'
        and people.exclusion_reason is null
        and people.is_mature
),

converted as (
    select
        units.experiment_key,
        units.person_id,
        min(behavior_events.occurred_at) as converted_at
    from units
    inner join behavior_events
        on
            units.person_id = behavior_events.person_id
            and units.behavior = behavior_events.behavior
            and units.assigned_at <= behavior_events.occurred_at
            and units.window_ends_at > behavior_events.occurred_at
    group by units.experiment_key, units.person_id
),

-- People already shown something by the landmark were partly chosen by it: said, not hidden.
clocked as (
    {% for hours in var("insight_landmark_hours") -%}
    select
        units.*,
        '{{ hours }} hours' as landmark,
        'itt' as population,
        coalesce(
            units.exposed_real_at < {{ dbt.dateadd("hour", hours, "units.assigned_at") }}, false
        ) as is_shown_before,
        {{ dbt.dateadd("hour", hours, "units.assigned_at") }} as landmark_at
    from units
    where units.window_ends_at > {{ dbt.dateadd("hour", hours, "units.assigned_at") }}
    union all
    {% endfor -%}
    select
        units.*,
        'first message' as landmark,
        'ghost_reached' as population,
        false as is_shown_before,
        units.reached_first_at as landmark_at
    from units
    where
        units.has_control_trap
        and units.reached_first_at is not null
),

waited as (
    select
        clocked.experiment_key,
        clocked.arm,
        clocked.allocation_version,
        clocked.metric_key,
        clocked.landmark,
        clocked.population,
        count(*) as count_units,
        count(converted.converted_at) as count_persons,
        sum(case when clocked.is_shown_before then 1 else 0 end) as count_events
    from clocked
    left join converted
        on
            clocked.experiment_key = converted.experiment_key
            and clocked.person_id = converted.person_id
    where
        converted.converted_at is null
        or clocked.landmark_at <= converted.converted_at
    group by
        clocked.experiment_key,
        clocked.arm,
        clocked.allocation_version,
        clocked.metric_key,
        clocked.landmark,
        clocked.population
),

all_landmarks as (
    select distinct
        experiment_key,
        metric_key,
        landmark,
        population
    from waited
),

counted as (
    select
        'landmark' as question,
        cohort_arms.cohort_key,
        cohort_arms.workspace_id,
        cohort_arms.journey_id,
        cohort_arms.experiment_key,
        all_landmarks.population,
        all_landmarks.landmark as stratum,
        all_landmarks.metric_key,
        cohort_arms.arm,
        cohort_arms.allocation_version,
        coalesce(waited.count_units, 0) as count_units,
        coalesce(waited.count_persons, 0) as count_persons,
        coalesce(waited.count_events, 0) as count_events
    from cohort_arms
    inner join all_landmarks
        on cohort_arms.experiment_key = all_landmarks.experiment_key
    left join waited
        on
            cohort_arms.experiment_key = waited.experiment_key
            and cohort_arms.arm = waited.arm
            and cohort_arms.allocation_version = waited.allocation_version
            and all_landmarks.landmark = waited.landmark
)

select * from counted
