with

lift as (
    select * from {{ ref("int_experiments__lift") }}
),

history as (
    select
        -- ids
        read_at as as_of,
        experiment_key,
        population,
        stratum,
        metric_key,
        arm,
        control_arm,
        -- attributes
        interval_kind,
        status,
        reasons,
        p_method,
        -- numbers
        count_treatment,
        count_control,
        mean_treatment,
        mean_control,
        lift,
        lift_low,
        lift_high,
        lift_relative,
        lift_relative_low,
        lift_relative_high,
        incremental,
        incremental_low,
        incremental_high,
        p_value,
        q_value,
        alpha
    from lift
)

select * from history
