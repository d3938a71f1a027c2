with

arms as (
    select * from {{ ref("int_experiments__arms") }}
),

lift as (
    select * from {{ ref("fct_lift") }}
),

landmarks as (
    select * from {{ ref("int_insight__landmarks") }}
),

contrasts as (
    select * from {{ ref("int_insight__contrasts") }}
),

journey_names as (
    select * from {{ ref("int_journeys__journey_names") }}
),

seasons as (
    select distinct
        experiment_key,
        kind,
        workspace_id,
        cast(campaign_id as {{ dbt.type_string() }}) as journey_id,
        primary_metric
    from arms
),

-- The delay itself was drawn: the only reading that is cause.
randomised as (
    select
        seasons.workspace_id,
        seasons.journey_id,
        lift.experiment_key,
        lift.arm,
        lift.control_arm,
        lift.metric_key,
        'randomised' as basis,
        cast(null as {{ dbt.type_string() }}) as landmark,
        lift.population,
        lift.interval_kind,
        lift.status,
        lift.reasons,
        cast(null as {{ dbt.type_bigint() }}) as landmark_hours,
        lift.count_treatment as count_units,
        lift.count_control as count_units_control,
        cast(null as {{ dbt.type_bigint() }}) as count_persons,
        cast(null as {{ dbt.type_bigint() }}) as count_persons_control,
        lift.mean_treatment as rate,
        lift.mean_control as rate_control,
        lift.lift as difference,
        lift.lift_low as difference_low,
        lift.lift_high as difference_high,
        false as is_selected
    from lift
    inner join seasons
        on
            lift.experiment_key = seasons.experiment_key
            and lift.metric_key = seasons.primary_metric
            and seasons.kind = 'timing'
    where
        lift.population = 'itt'
        and lift.stratum = 'all'
),

landmark_kinds as (
    select
        experiment_key,
        landmark,
        population,
        metric_key,
        max(landmark_hours) as landmark_hours,
        max(count_shown_before) as count_shown_before
    from landmarks
    group by experiment_key, landmark, population, metric_key
),

contrasted as (
    select
        seasons.workspace_id,
        seasons.journey_id,
        contrasts.experiment_key,
        contrasts.arm,
        contrasts.control_arm,
        landmark_kinds.metric_key,
        'landmark' as basis,
        landmark_kinds.landmark,
        landmark_kinds.population,
        contrasts.interval_kind,
        contrasts.status,
        contrasts.reasons,
        cast(landmark_kinds.landmark_hours as {{ dbt.type_bigint() }}) as landmark_hours,
        contrasts.count_units,
        contrasts.count_units_control,
        contrasts.count_persons,
        contrasts.count_persons_control,
        contrasts.rate,
        contrasts.rate_control,
        contrasts.difference,
        contrasts.difference_low,
        contrasts.difference_high,
        landmark_kinds.count_shown_before > 0 as is_selected
    from contrasts
    inner join landmark_kinds
        on
            contrasts.experiment_key = landmark_kinds.experiment_key
            and contrasts.measure = landmark_kinds.landmark
    inner join seasons
        on contrasts.experiment_key = seasons.experiment_key
    where contrasts.topic = 'landmark'
),

united as (
    select * from randomised
    union all
    select * from contrasted
),

named as (
    select
        -- ids
        united.workspace_id,
        united.journey_id,
        journey_names.journey_name,
        united.experiment_key,
        united.arm,
        united.control_arm,
        united.metric_key,
        -- attributes
        united.basis,
        united.landmark,
        united.population,
        united.interval_kind,
        united.status,
        united.reasons,
        -- numbers
        united.landmark_hours,
        united.count_units,
        united.count_units_control,
        united.count_persons,
        united.count_persons_control,
        united.rate,
        united.rate_control,
        united.difference,
        united.difference_low,
        united.difference_high,
        -- flags
        united.is_selected
    from united
    left join journey_names
        on
            united.workspace_id = journey_names.workspace_id
            and united.journey_id = journey_names.journey_id
)

select * from named
