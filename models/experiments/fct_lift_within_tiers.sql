with

contrasts as (
    select * from {{ ref("int_experiments__contrasts") }}
    where
        is_current
        and is_comparable
        and population = 'itt'
        and stratum <> 'all'
),

inferences as (
    select * from {{ ref("int_experiments__inference") }}
),

lift as (
    select * from {{ ref("fct_lift") }}
    where
        population = 'itt'
        and stratum = 'all'
),

-- A cell is a tier within an allocation version; cells are combined as versions are.
limited as (
    select
        contrasts.*,
        {{ fixed_limits("contrasts", "inferences") }},
        (contrasts.count_treatment + contrasts.count_control) / nullif(
            cast(
                sum(contrasts.count_treatment + contrasts.count_control) over (
                    partition by
                        contrasts.experiment_key, contrasts.metric_key, contrasts.arm
                ) as double
            ),
            0
        ) as cell_weight
    from contrasts
    left join inferences
        on {{ same_contrast("contrasts", "inferences") }}
),

{{ estimates_of("limited", by=[], weight="cell_weight") }},

judged as (
    select
        -- ids
        estimated.experiment_key,
        estimated.metric_key,
        estimated.arm,
        estimated.control_arm,
        -- attributes
        lift.status,
        lift.reasons,
        -- numbers
        cast(estimated.count_cells as {{ dbt.type_bigint() }}) as count_cells,
        cast(estimated.count_treatment as {{ dbt.type_bigint() }}) as count_treatment,
        cast(estimated.count_control as {{ dbt.type_bigint() }}) as count_control,
        cast(estimated.mean_treatment as double) as mean_treatment,
        cast(estimated.mean_control as double) as mean_control,
        case
            when {{ may_be_told("lift.status") }} then cast(estimated.difference as double)
        end as lift,
        case
            when
                {{ may_be_told("lift.status") }}
                and estimated.interval_kind = 'fixed'
                and not estimated.lacks_limits
                then cast(estimated.difference_low as double)
        end as lift_low,
        case
            when
                {{ may_be_told("lift.status") }}
                and estimated.interval_kind = 'fixed'
                and not estimated.lacks_limits
                then cast(estimated.difference_high as double)
        end as lift_high
    from estimated
    inner join lift
        on
            estimated.experiment_key = lift.experiment_key
            and estimated.metric_key = lift.metric_key
            and estimated.arm = lift.arm
)

select * from judged
