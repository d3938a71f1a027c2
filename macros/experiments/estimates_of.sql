{% macro estimates_of(contrasts, by=["stratum"], weight="weight", into="estimated") -%}
    {#-
        CTEs that end in one named `into`: contrasts combined into one estimate with its interval, a row per
        question, experiment, population, metric, reading and arm, and per whatever `by` names besides.

        contrasts: a CTE of contrasts (contrasts_of) with fixed_low and fixed_high. Its rows are never pooled:
        weighed by `weight`, their limits combined by MOVER. Without a weight (nothing can be compared) the
        means are those of all units, and there is no difference.

        interval_kind is fixed from the declared analysis on; before it, or without one, the interval is the
        one that may be looked at every week. Limits are null where the skew gate withholds them.
    -#}
    {%- set question = ["question", "experiment_key", "read_at", "population", "metric_key"] -%}
    {%- set strata = ["stratum"] if "stratum" in by else [] -%}
    {%- set keys = question + [
        "arm", "control_arm", "aggregation", "planned_n", "tuning_n", "alpha", "z_critical", "analysis_at"
    ] + by -%}
    {{ into }}_combined as (
        select
            {{ keys | join(", ") }},
            count(*) as count_cells,
            {%- for side in ["treatment", "control"] %}
            sum(count_{{ side }}) as count_{{ side }},
            sum(count_nonzero_{{ side }}) as count_nonzero_{{ side }},
            coalesce(
                {{ steady_sum(weight ~ " * mean_" ~ side) }},
                {{ steady_sum("sum_" ~ side) }} / nullif(sum(count_{{ side }}), 0)
            ) as mean_{{ side }},
            {{ steady_sum(
                weight ~ " * " ~ weight ~ " * variance_" ~ side ~ " / nullif(count_" ~ side ~ ", 0)"
            ) }} as mean_variance_{{ side }},
            {%- endfor %}
            sum(case when is_comparable then count_treatment + count_control else 0 end)
                as count_compared,
            {{ steady_sum(weight ~ " * mean_treatment") }} - {{ steady_sum(weight ~ " * mean_control") }}
                as difference,
            {{ mover_reach(weight, "difference", "fixed_low") }} as reach_low,
            {{ mover_reach(weight, "difference", "fixed_high") }} as reach_high,
            sqrt(
                {{ steady_sum(
                    weight ~ " * " ~ weight ~ " * (
                        sample_variance_treatment / nullif(count_treatment, 0)
                        + sample_variance_control / nullif(count_control, 0)
                    )"
                ) }}
            ) as standard_error,
            max(case when is_skewed then 1 else 0 end) = 1 as is_skewed,
            max(case when fixed_low is null then 1 else 0 end) = 1 as lacks_limits
        from {{ contrasts }}
        group by {{ keys | join(", ") }}
    ),

    {{ into }}_read as (
        select
            *,
            {{ count_all_arms("over (partition by " ~ (question + strata) | join(", ") ~ ")") }}
                as count_all_arms,
            case
                when analysis_at is not null and read_at >= analysis_at then 'fixed'
                else 'sequence'
            end as interval_kind,
            {{ sequence_rho_squared("alpha", "tuning_n") }} as rho_squared
        from {{ into }}_combined
    ),

    {{ into }} as (
        select
            *,
            {%- for limit, sign in [("low", "-"), ("high", "+")] %}
            case
                when is_skewed then null
                when interval_kind = 'fixed' then difference {{ sign }} reach_{{ limit }}
                else
                    difference {{ sign }}
                    {{ sequence_halfwidth("standard_error", "count_compared", "rho_squared", "alpha") }}
            end as difference_{{ limit }},
            {%- endfor %}
            {{ is_immature() }} as is_immature,
            {{ has_few_events(count_fewest_events("aggregation = 'any'")) }} as has_few_events,
            {{ lacks_variance() }} as lacks_variance
        from {{ into }}_read
    )
{%- endmacro %}
