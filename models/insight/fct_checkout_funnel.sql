with

contrasts as (
    select * from {{ ref("int_insight__contrasts") }}
    where question = 'funnel'
),

journey_names as (
    select * from {{ ref("int_journeys__journey_names") }}
),

joined as (
    select
        -- ids
        contrasts.workspace_id,
        contrasts.journey_id,
        journey_names.journey_name,
        contrasts.experiment_key,
        contrasts.arm,
        contrasts.control_arm,
        -- attributes
        cast(
            case contrasts.metric_key
                {%- for step in funnel_steps() %}
                when '{{ step }}' then {{ loop.index }}
                {%- endfor %}
            end as {{ dbt.type_bigint() }}
        ) as step_number,
        contrasts.metric_key as step,
        contrasts.interval_kind,
        contrasts.status,
        contrasts.reasons,
        -- numbers
        contrasts.count_units,
        contrasts.count_persons,
        contrasts.count_events as count_dropped,
        contrasts.rate,
        contrasts.rate_control,
        contrasts.difference,
        contrasts.difference_low,
        contrasts.difference_high
    from contrasts
    left join journey_names
        on
            contrasts.workspace_id = journey_names.workspace_id
            and contrasts.journey_id = journey_names.journey_id
)

select * from joined
