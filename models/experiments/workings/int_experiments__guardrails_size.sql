with

arms as (
    select * from {{ ref("int_experiments__arms") }}
),

instants as (
    select * from {{ ref("int_experiments__instants") }}
),

contrasts as (
    select * from {{ ref("int_experiments__contrasts") }}
),

primary_contrasts as (
    select
        contrasts.experiment_key,
        contrasts.read_at,
        contrasts.population,
        contrasts.arm,
        max(contrasts.planned_n) as planned_n,
        sum(contrasts.count_treatment) as count_treatment,
        sum(contrasts.count_control) as count_control,
        sum(contrasts.count_nonzero_treatment) as count_nonzero_treatment,
        sum(contrasts.count_nonzero_control) as count_nonzero_control,
        max(case when contrasts.aggregation = 'any' then 1 else 0 end) = 1 as is_rate,
        max(contrasts.skew_ratio) as skew_ratio
    from contrasts
    inner join arms
        on
            contrasts.experiment_key = arms.experiment_key
            and contrasts.arm = arms.arm
            and contrasts.allocation_version = arms.allocation_version
            and contrasts.metric_key = arms.primary_metric
    where contrasts.stratum = 'all'
    group by
        contrasts.experiment_key, contrasts.read_at, contrasts.population, contrasts.arm
),

-- What holds of a row of the lift is told of the primary metric by its worst comparison.
worst_contrasts as (
    select
        experiment_key,
        read_at,
        population,
        max(planned_n) as planned_n,
        {{ count_all_arms() }} as count_units,
        min({{ count_smaller_arm() }}) as count_smaller_arm,
        min({{ count_fewest_events("is_rate") }}) as count_fewest_events,
        max(skew_ratio) as skew_ratio
    from primary_contrasts
    group by experiment_key, read_at, population
),

-- An experiment that compares nothing yet has its row of everyone assigned all the same.
spoken_of as (
    select
        experiment_key,
        read_at,
        'itt' as population
    from instants
    union distinct
    select
        experiment_key,
        read_at,
        population
    from worst_contrasts
),

sized as (
    select
        spoken_of.experiment_key,
        spoken_of.read_at,
        spoken_of.population,
        worst_contrasts.planned_n,
        worst_contrasts.count_units,
        coalesce(worst_contrasts.count_smaller_arm, 0) as count_smaller_arm,
        worst_contrasts.count_fewest_events,
        worst_contrasts.skew_ratio
    from spoken_of
    left join worst_contrasts
        on
            spoken_of.experiment_key = worst_contrasts.experiment_key
            and spoken_of.read_at = worst_contrasts.read_at
            and spoken_of.population = worst_contrasts.population
),

measured as (
    {{ guardrail_values("sized", {
        "immature": "count_smaller_arm",
        "few_events": "count_fewest_events",
        "skew": "skew_ratio",
    }) }}
    union all
    {{ guardrail_values("sized", {"underpowered": "count_units"}, threshold="planned_n") }}
)

select * from measured
