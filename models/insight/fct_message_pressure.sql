with

arm_counts as (
    select * from {{ ref("int_insight__arm_counts") }}
),

contrasts as (
    select * from {{ ref("int_insight__contrasts") }}
),

journey_names as (
    select * from {{ ref("int_journeys__journey_names") }}
),

summed as (
    select
        workspace_id,
        journey_id,
        experiment_key,
        arm,
        measure,
        sum(count_units) as count_units,
        sum(count_persons) as count_persons,
        sum(count_events) as count_events
    from arm_counts
    where topic = 'pressure'
    group by workspace_id, journey_id, experiment_key, arm, measure
),

joined as (
    select
        -- ids
        summed.workspace_id,
        summed.journey_id,
        journey_names.journey_name,
        summed.experiment_key,
        summed.arm,
        contrasts.control_arm,
        -- attributes
        summed.measure,
        contrasts.interval_kind,
        case
            when summed.experiment_key is null then 'no control'
            when contrasts.experiment_key is null then 'control'
            else contrasts.status
        end as status,
        case
            when summed.experiment_key is null then 'no_control'
            else coalesce(contrasts.reasons, '')
        end as reasons,
        -- numbers
        cast(summed.count_units as {{ dbt.type_bigint() }}) as count_units,
        cast(summed.count_persons as {{ dbt.type_bigint() }}) as count_persons,
        cast(summed.count_events as {{ dbt.type_bigint() }}) as count_events,
        cast(summed.count_events as double) / nullif(summed.count_units, 0) as events_per_person,
        coalesce(
            contrasts.rate,
            cast(summed.count_persons as double) / nullif(summed.count_units, 0)
        ) as rate,
        contrasts.rate_control,
        contrasts.difference,
        contrasts.difference_low,
        contrasts.difference_high
    from summed
    left join contrasts
        on
            summed.experiment_key = contrasts.experiment_key
            and summed.arm = contrasts.arm
            and summed.measure = contrasts.measure
            and contrasts.topic = 'pressure'
    left join journey_names
        on
            summed.workspace_id = journey_names.workspace_id
            and summed.journey_id = journey_names.journey_id
)

select * from joined
