{%- set is_rate = "paired.aggregation = 'any'" %}
with

moments as (
    select * from {{ ref("int_experiments__moments") }}
),

arms as (
    select * from {{ ref("int_experiments__arms") }}
),

-- Sample variance of means with n - 1, of rates p(1 - p).
described as (
    select
        *,
        sum_y / nullif(count_units, 0) as mean_y,
        case
            when aggregation = 'any'
                then
                    sum_y * (count_units - sum_y)
                    / nullif(cast(count_units as double) * count_units, 0)
            else
                greatest(0.0, sum_yy - sum_y * sum_y / nullif(count_units, 0))
                / nullif(count_units - 1, 0)
        end as variance_y,
        greatest(
            0.0,
            sum_yy / nullif(count_units, 0)
            - sum_y * sum_y / nullif(cast(count_units as double) * count_units, 0)
        ) as population_variance_y,
        sum_yyy / nullif(count_units, 0) as third_moment_y
    from moments
),

-- A single unit has no shape and no variance: taken as skewed by one, it never passes the gate.
skewed as (
    select
        *,
        case
            when count_units = 1 then 1.0
            else
                (
                    third_moment_y
                    - 3.0 * mean_y * population_variance_y
                    - mean_y * mean_y * mean_y
                ) / nullif(population_variance_y * sqrt(population_variance_y), 0)
        end as skewness_y
    from described
),

paired as (
    select
        treatment.experiment_key,
        treatment.population,
        treatment.stratum,
        treatment.metric_key,
        treatment.arm,
        control.arm as control_arm,
        treatment.aggregation,
        treatment.allocation_version,
        treatment.count_units as count_treatment,
        control.count_units as count_control,
        treatment.count_reached as count_reached_treatment,
        control.count_reached as count_reached_control,
        treatment.count_nonzero as count_nonzero_treatment,
        control.count_nonzero as count_nonzero_control,
        treatment.sum_y as sum_treatment,
        control.sum_y as sum_control,
        treatment.sum_yy as sum_yy_treatment,
        control.sum_yy as sum_yy_control,
        treatment.sum_yd as sum_reached_treatment,
        control.sum_yd as sum_reached_control,
        treatment.mean_y as mean_treatment,
        control.mean_y as mean_control,
        treatment.variance_y as variance_treatment,
        control.variance_y as variance_control,
        treatment.skewness_y as skewness_treatment,
        control.skewness_y as skewness_control,
        treatment.is_current,
        treatment.count_units > 0 and control.count_units > 0 as is_comparable,
        treatment.read_at
    from skewed as treatment
    inner join arms
        on
            treatment.experiment_key = arms.experiment_key
            and treatment.arm = arms.arm
            and treatment.allocation_version = arms.allocation_version
    inner join skewed as control
        on
            treatment.experiment_key = control.experiment_key
            and treatment.read_at = control.read_at
            and treatment.population = control.population
            and treatment.stratum = control.stratum
            and treatment.metric_key = control.metric_key
            and treatment.allocation_version = control.allocation_version
            and arms.control_arm = control.arm
    where treatment.arm <> arms.control_arm
),

bounded as (
    select
        paired.*,
        arms.planned_n,
        coalesce(arms.planned_n, {{ var("experiments_tuning_n") }}) as tuning_n,
        arms.alpha,
        arms.z_critical,
        arms.analysis_at,
        case
            when {{ is_rate }}
                then {{ wilson_low("paired.sum_treatment", "paired.count_treatment", "arms.z_critical") }}
        end as wilson_low_treatment,
        case
            when {{ is_rate }}
                then {{ wilson_high("paired.sum_treatment", "paired.count_treatment", "arms.z_critical") }}
        end as wilson_high_treatment,
        case
            when {{ is_rate }}
                then {{ wilson_low("paired.sum_control", "paired.count_control", "arms.z_critical") }}
        end as wilson_low_control,
        case
            when {{ is_rate }}
                then {{ wilson_high("paired.sum_control", "paired.count_control", "arms.z_critical") }}
        end as wilson_high_control,
        -- Kohavi and others (2014): below 355 times the squared skewness a mean is not normal yet.
        paired.aggregation <> 'any'
        and paired.is_comparable
        and (
            paired.count_treatment
            < {{ var("experiments_skew_factor") }}
            * round(coalesce(paired.skewness_treatment * paired.skewness_treatment, 0), 9)
            or paired.count_control
            < {{ var("experiments_skew_factor") }}
            * round(coalesce(paired.skewness_control * paired.skewness_control, 0), 9)
        ) as is_skewed,
        -- Versions are weighed by their units; one without both arms cannot be compared.
        case
            when paired.is_comparable
                then (paired.count_treatment + paired.count_control) / nullif(
                    cast(
                        sum(
                            case
                                when paired.is_comparable
                                    then paired.count_treatment + paired.count_control
                                else 0
                            end
                        ) over (
                            partition by
                                paired.experiment_key,
                                paired.read_at,
                                paired.population,
                                paired.stratum,
                                paired.metric_key,
                                paired.arm
                        ) as double
                    ),
                    0
                )
        end as weight
    from paired
    inner join arms
        on
            paired.experiment_key = arms.experiment_key
            and paired.arm = arms.arm
            and paired.allocation_version = arms.allocation_version
),

compared as (
    select
        *,
        mean_treatment - mean_control as difference,
        {{ newcombe_low("mean_treatment", "wilson_low_treatment", "mean_control", "wilson_high_control") }}
            as newcombe_low,
        {{ newcombe_high("mean_treatment", "wilson_high_treatment", "mean_control", "wilson_low_control") }}
            as newcombe_high
    from bounded
)

select * from compared
