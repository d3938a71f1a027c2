with

people as (
    select * from {{ ref("int_review__people") }}
),

experiments as (
    select * from {{ ref("experiments") }}
),

lift as (
    select * from {{ ref("fct_lift") }}
),

counted as (
    select
        experiment_key,
        arm,
        cast(sum(case when is_clicker then 1 else 0 end) as {{ dbt.type_bigint() }})
            as count_clickers,
        cast(sum(case when is_clicker and is_converted then 1 else 0 end) as {{ dbt.type_bigint() }})
            as count_clickers_converted,
        cast(sum(case when is_clicker then 0 else 1 end) as {{ dbt.type_bigint() }})
            as count_others,
        cast(
            sum(case when not is_clicker and is_converted then 1 else 0 end)
            as {{ dbt.type_bigint() }}
        ) as count_others_converted
    from people
    where is_read_naively
    group by experiment_key, arm
),

rated as (
    select
        *,
        cast(count_clickers_converted as double) / nullif(count_clickers, 0) as share_clickers,
        cast(count_others_converted as double) / nullif(count_others, 0) as share_others
    from counted
),

measured as (
    select
        lift.experiment_key,
        lift.arm,
        1 + lift.lift_relative as measured_ratio,
        1 + lift.lift_relative_low as measured_ratio_low,
        1 + lift.lift_relative_high as measured_ratio_high
    from lift
    inner join experiments
        on
            lift.experiment_key = experiments.experiment_key
            and lift.metric_key = experiments.primary_metric
    where
        lift.population = 'itt'
        and lift.stratum = 'all'
),

compared as (
    select
        -- ids
        rated.experiment_key,
        rated.arm,
        -- numbers
        rated.count_clickers,
        rated.count_clickers_converted,
        rated.count_others,
        rated.count_others_converted,
        cast({{ var("review_naive_people") }} as {{ dbt.type_bigint() }}) as count_needed,
        rated.share_clickers,
        rated.share_others,
        rated.share_clickers / nullif(rated.share_others, 0) as naive_ratio,
        measured.measured_ratio,
        measured.measured_ratio_low,
        measured.measured_ratio_high,
        -- flags
        least(rated.count_clickers, rated.count_others) >= {{ var("review_naive_people") }}
            as is_readable
    from rated
    left join measured
        on
            rated.experiment_key = measured.experiment_key
            and rated.arm = measured.arm
)

select * from compared
