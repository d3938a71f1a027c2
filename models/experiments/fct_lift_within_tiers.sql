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

limited as (
    select
        contrasts.*,
        coalesce(contrasts.newcombe_low, inferences.welch_low) as fixed_low,
        coalesce(contrasts.newcombe_high, inferences.welch_high) as fixed_high,
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

-- A cell is a tier within an allocation version; cells are combined as versions are.
combined as (
    select
        experiment_key,
        metric_key,
        arm,
        control_arm,
        count(*) as count_cells,
        sum(count_treatment) as count_treatment,
        sum(count_control) as count_control,
        {{ steady_sum("cell_weight * mean_treatment") }} as mean_treatment,
        {{ steady_sum("cell_weight * mean_control") }} as mean_control,
        {{ steady_sum("cell_weight * difference") }} as difference,
        sqrt(
            {{ steady_sum(
                "cell_weight * cell_weight * (difference - fixed_low) * (difference - fixed_low)"
            ) }}
        ) as reach_low,
        sqrt(
            {{ steady_sum(
                "cell_weight * cell_weight * (fixed_high - difference) * (fixed_high - difference)"
            ) }}
        ) as reach_high,
        max(case when is_skewed or fixed_low is null then 1 else 0 end) = 1 as is_withheld
    from limited
    group by experiment_key, metric_key, arm, control_arm
),

judged as (
    select
        -- ids
        combined.experiment_key,
        combined.metric_key,
        combined.arm,
        combined.control_arm,
        -- attributes
        lift.status,
        lift.reasons,
        -- numbers
        cast(combined.count_cells as {{ dbt.type_bigint() }}) as count_cells,
        cast(combined.count_treatment as {{ dbt.type_bigint() }}) as count_treatment,
        cast(combined.count_control as {{ dbt.type_bigint() }}) as count_control,
        cast(combined.mean_treatment as double) as mean_treatment,
        cast(combined.mean_control as double) as mean_control,
        case
            when lift.status in ('ok', 'underpowered') then cast(combined.difference as double)
        end as lift,
        case
            when
                lift.status in ('ok', 'underpowered')
                and lift.interval_kind = 'fixed'
                and not combined.is_withheld
                then cast(combined.difference - combined.reach_low as double)
        end as lift_low,
        case
            when
                lift.status in ('ok', 'underpowered')
                and lift.interval_kind = 'fixed'
                and not combined.is_withheld
                then cast(combined.difference + combined.reach_high as double)
        end as lift_high
    from combined
    inner join lift
        on
            combined.experiment_key = lift.experiment_key
            and combined.metric_key = lift.metric_key
            and combined.arm = lift.arm
)

select * from judged
