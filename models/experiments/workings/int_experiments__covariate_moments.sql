{%- set covariate = var("experiments_covariate") -%}

with

{{ attribute_history(covariate or "no covariate", "number", into="covariate_values") }},

people as (
    select * from {{ ref("int_experiments__people") }}
    where
        exclusion_reason is null
        and {{ "is_mature" if covariate else "false" }}
),

metrics as (
    select * from {{ ref("metrics") }}
),

outcomes as (
    select * from {{ ref("int_experiments__outcomes") }}
),

-- Only what was known before the assignment: what the messages changed would hide their effect. Texts such
-- as inf and nan are numbers to an engine, and none here.
known as (
    select
        people.experiment_key,
        people.person_id,
        people.arm,
        case when covariate_values.value between -1e100 and 1e100 then covariate_values.value else 0 end as x
    from people
    left join covariate_values
        on
            people.person_id = covariate_values.person_id
            and people.assigned_at > covariate_values.valid_from
            and people.assigned_at <= coalesce(covariate_values.valid_to, {{ end_of_time() }})
),

observed as (
    select
        known.experiment_key,
        metrics.metric_key,
        known.arm,
        known.x,
        cast(coalesce(outcomes.amount, 0) as double) as y
    from known
    cross join metrics
    left join outcomes
        on
            known.experiment_key = outcomes.experiment_key
            and known.person_id = outcomes.person_id
            and metrics.metric_key = outcomes.metric_key
),

summed as (
    select
        experiment_key,
        metric_key,
        arm,
        count(*) as count_units,
        {{ steady_sum("x") }} as sum_x,
        {{ steady_sum("y") }} as sum_y,
        {{ steady_sum("x * x") }} as sum_xx,
        {{ steady_sum("x * y") }} as sum_xy,
        {{ steady_sum("y * y") }} as sum_yy
    from observed
    group by experiment_key, metric_key, arm
),

described as (
    select
        experiment_key,
        metric_key,
        arm,
        count_units,
        sum_x / count_units as mean_x,
        sum_y / count_units as mean_y,
        {{ sample_variance("sum_x", "sum_xx", "count_units") }} as variance_x,
        {{ sample_variance("sum_y", "sum_yy", "count_units") }} as variance_y,
        {{ sample_covariance("sum_x", "sum_y", "sum_xy", "count_units") }} as covariance
    from summed
)

select * from described
