{%- set covariate = var("experiments_covariate") | replace("'", "''") -%}

with

contrasts as (
    select * from {{ ref("int_experiments__contrasts") }}
    where
        is_current
        and population = 'itt'
        and stratum = 'all'
),

inferences as (
    select * from {{ ref("int_experiments__inference") }}
    where covariate_theta is not null
),

lift as (
    select * from {{ ref("fct_lift") }}
    where
        population = 'itt'
        and stratum = 'all'
),

adjusted as (
    select
        contrasts.experiment_key,
        contrasts.metric_key,
        contrasts.arm,
        contrasts.is_skewed,
        inferences.covariate_theta,
        inferences.adjusted_difference,
        inferences.adjusted_low,
        inferences.adjusted_high,
        inferences.variance_ratio
    from contrasts
    inner join inferences
        on {{ same_contrast("contrasts", "inferences") }}
),

judged as (
    select
        -- ids
        lift.experiment_key,
        lift.metric_key,
        lift.arm,
        lift.control_arm,
        -- attributes
        '{{ covariate }}' as covariate,
        lift.status,
        lift.reasons,
        -- numbers
        adjusted.covariate_theta as theta,
        adjusted.variance_ratio,
        case
            when {{ may_be_told("lift.status") }} then adjusted.adjusted_difference
        end as lift,
        {%- for limit in ["low", "high"] %}
        case
            when
                {{ may_be_told("lift.status") }}
                and lift.interval_kind = 'fixed'
                and not adjusted.is_skewed
                then adjusted.adjusted_{{ limit }}
        end as lift_{{ limit }},
        {%- endfor %}
        lift.lift as lift_unadjusted
    from lift
    inner join adjusted
        on
            lift.experiment_key = adjusted.experiment_key
            and lift.metric_key = adjusted.metric_key
            and lift.arm = adjusted.arm
)

select * from judged
