with

arms as (
    select * from {{ ref("int_experiments__arms") }}
),

lift as (
    select * from {{ ref("fct_lift") }}
),

contrasts as (
    select * from {{ ref("int_insight__contrasts") }}
    where question = 'landmark'
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

-- Was anybody shown a message before it, in whichever arm?
landmarks as (
    select
        experiment_key,
        stratum,
        max(count_events) > 0 as is_selected
    from contrasts
    group by experiment_key, stratum
),

contrasted as (
    select
        contrasts.workspace_id,
        contrasts.journey_id,
        contrasts.experiment_key,
        contrasts.arm,
        contrasts.control_arm,
        contrasts.metric_key,
        'landmark' as basis,
        contrasts.stratum as landmark,
        contrasts.population,
        contrasts.interval_kind,
        contrasts.status,
        contrasts.reasons,
        cast(
            case contrasts.stratum
                {%- for hours in var("insight_landmark_hours") %}
                when '{{ hours }} hours' then {{ hours }}
                {%- endfor %}
            end as {{ dbt.type_bigint() }}
        ) as landmark_hours,
        contrasts.count_units,
        contrasts.count_units_control,
        contrasts.count_persons,
        contrasts.count_persons_control,
        contrasts.rate,
        contrasts.rate_control,
        contrasts.difference,
        contrasts.difference_low,
        contrasts.difference_high,
        landmarks.is_selected
    from contrasts
    inner join landmarks
        on
            contrasts.experiment_key = landmarks.experiment_key
            and contrasts.stratum = landmarks.stratum
    where contrasts.control_arm is not null
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
