{% macro contrasts_of(arm_totals, arms="arms", into="contrasted", comparisons=none) -%}
    {#-
        CTEs that end in one named `into`: each arm against its control, before allocation versions are
        combined; a row per question, experiment, population, stratum, metric, reading, arm and version.

        arm_totals: a CTE with those columns and aggregation, count_units, count_reached, count_nonzero,
        sum_y, sum_yy, sum_yyy, sum_yd. What has happened or not (aggregation any) is a rate.
        arms: the CTE of int_experiments__arms.
        comparisons: a column of the totals: how many contrasts are read as one family. Each then gets that
        part of the experiment's error (Bonferroni), so that a claim is false in no more of the families.

        The limits of rates are Newcombe's; those of means need a distribution function, which SQL has
        not: they come from int_experiments__inference (fixed_limits).
    -#}
    {%- set is_rate = into ~ "_paired.aggregation = 'any'" -%}
    {%- set share = "coalesce(treatment." ~ comparisons ~ ", 1)" -%}
    {{ into }}_described as (
        select
            *,
            sum_y / nullif(count_units, 0) as mean_y,
            case
                when aggregation = 'any' then {{ rate_variance("sum_y", "count_units") }}
                else {{ sample_variance("sum_y", "sum_yy", "count_units") }}
            end as variance_y,
            {{ skewness("sum_y", "sum_yy", "sum_yyy", "count_units") }} as skewness_y
        from {{ arm_totals }}
    ),

    {{ into }}_paired as (
        select
            treatment.question,
            treatment.experiment_key,
            treatment.population,
            treatment.stratum,
            treatment.metric_key,
            treatment.arm,
            {{ arms }}.control_arm,
            treatment.aggregation,
            treatment.allocation_version,
            {{ arms }}.planned_n,
            coalesce({{ arms }}.planned_n, {{ var("experiments_tuning_n") }}) as tuning_n,
            {%- if comparisons %}
            {{ arms }}.alpha / {{ share }} as alpha,
            case
                when {{ share }} = 1 then {{ arms }}.z_critical
                else {{ normal_quantile("1.0 - " ~ arms ~ ".alpha / (2.0 * " ~ share ~ ")") }}
            end as z_critical,
            {%- else %}
            {{ arms }}.alpha,
            {{ arms }}.z_critical,
            {%- endif %}
            {{ arms }}.analysis_at,
            {%- for side in ["treatment", "control"] %}
            {%- for total in ["count_units", "count_reached", "count_nonzero"] %}
            {{ side }}.{{ total }} as {{ total | replace("_units", "") }}_{{ side }},
            {%- endfor %}
            {{ side }}.sum_y as sum_{{ side }},
            {{ side }}.sum_yy as sum_yy_{{ side }},
            {{ side }}.sum_yd as sum_reached_{{ side }},
            {{ side }}.mean_y as mean_{{ side }},
            {{ side }}.variance_y as variance_{{ side }},
            {{ side }}.skewness_y as skewness_{{ side }},
            {%- endfor %}
            treatment.is_current,
            treatment.count_units > 0 and control.count_units > 0 as is_comparable,
            treatment.read_at
        from {{ into }}_described as treatment
        inner join {{ arms }}
            on
                treatment.experiment_key = {{ arms }}.experiment_key
                and treatment.arm = {{ arms }}.arm
                and treatment.allocation_version = {{ arms }}.allocation_version
        inner join {{ into }}_described as control
            on
                treatment.question = control.question
                and treatment.experiment_key = control.experiment_key
                and treatment.read_at = control.read_at
                and treatment.population = control.population
                and treatment.stratum = control.stratum
                and treatment.metric_key = control.metric_key
                and treatment.allocation_version = control.allocation_version
                and {{ arms }}.control_arm = control.arm
        where treatment.arm <> {{ arms }}.control_arm
    ),

    {{ into }}_bounded as (
        select
            {{ into }}_paired.*,
            {%- for side in ["treatment", "control"] %}
            {%- for limit, wilson in [("low", wilson_low), ("high", wilson_high)] %}
            case
                when {{ is_rate }} then {{ wilson("sum_" ~ side, "count_" ~ side, "z_critical") }}
            end as wilson_{{ limit }}_{{ side }},
            {%- endfor %}
            -- The sequence takes the sample variance, n - 1, of rates as of means.
            case
                when {{ is_rate }} then {{ rate_sample_variance("sum_" ~ side, "count_" ~ side) }}
                else variance_{{ side }}
            end as sample_variance_{{ side }},
            {%- endfor %}
            case when not ({{ is_rate }}) and is_comparable then {{ skew_ratio() }} end as skew_ratio,
            -- Versions are weighed by their units; one without both arms cannot be compared.
            case when is_comparable then count_treatment + count_control end / nullif(
                cast(
                    sum(case when is_comparable then count_treatment + count_control else 0 end) over (
                        partition by
                            question, experiment_key, read_at, population, stratum, metric_key, arm
                    ) as double
                ),
                0
            ) as weight
        from {{ into }}_paired
    ),

    {{ into }} as (
        select
            *,
            {{ is_skewed("skew_ratio") }} as is_skewed,
            mean_treatment - mean_control as difference,
            {{ newcombe_low("mean_treatment", "wilson_low_treatment", "mean_control", "wilson_high_control") }}
                as newcombe_low,
            {{ newcombe_high("mean_treatment", "wilson_high_treatment", "mean_control", "wilson_low_control") }}
                as newcombe_high
        from {{ into }}_bounded
    )
{%- endmacro %}
