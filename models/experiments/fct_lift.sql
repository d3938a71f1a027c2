with

history as (
    select * from {{ ref("fct_lift_history") }}
),

current_lift as (
    select
        -- ids
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
    from history
    where as_of = {{ as_of() }}
)

select * from current_lift
