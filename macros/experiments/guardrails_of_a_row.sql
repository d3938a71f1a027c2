{#- The guardrails of one comparison of arms, each said once: the rows that are told (lift, insight,
    reorders) and int_experiments__guardrails_size, which reads the worst of the primary metric, ask
    here. -#}

{% macro count_smaller_arm() -%}
    least(count_treatment, count_control)
{%- endmacro %}

{% macro is_immature() -%}
    {{ count_smaller_arm() }} = 0
{%- endmacro %}

{% macro count_fewest_events(is_rate) -%}
    {#- What has happened or not (a rate) needs both. -#}
    case
        when {{ is_rate }}
            then least(
                count_nonzero_treatment,
                count_treatment - count_nonzero_treatment,
                count_nonzero_control,
                count_control - count_nonzero_control
            )
        else least(count_nonzero_treatment, count_nonzero_control)
    end
{%- endmacro %}

{% macro has_few_events(count_events) -%}
    {{ count_events }} < {{ var("experiments_minimum_events") }}
{%- endmacro %}

{% macro count_all_arms(over="") -%}
    {#- The plan counts the units of all arms; the control is the same in each comparison. -#}
    sum(count_treatment) {{ over }} + max(count_control) {{ over }}
{%- endmacro %}

{% macro is_underpowered(count_units, planned_n) -%}
    coalesce({{ count_units }} < {{ planned_n }}, false)
{%- endmacro %}

{% macro skew_ratio() -%}
    {#- Units that the worse arm needs for its mean to be normal (Kohavi and others, 2014: a factor
        times the squared skewness), as a multiple of those that it has. -#}
    round(
        greatest(
            {%- for side in ["treatment", "control"] %}
            {{ var("experiments_skew_factor") }} * skewness_{{ side }} * skewness_{{ side }}
            / nullif(count_{{ side }}, 0){{ "," if not loop.last }}
            {%- endfor %}
        ),
        9
    )
{%- endmacro %}

{% macro is_skewed(skew_ratio) -%}
    coalesce({{ skew_ratio }} > 1, false)
{%- endmacro %}

{% macro lacks_variance() -%}
    {#- Every unit of both arms has the same amount, to within the rounding of its square: nothing says how
        sure the difference is. What has happened or not (a rate) has limits all the same. -#}
    coalesce(
        aggregation <> 'any'
        {%- for side in ["treatment", "control"] %}
        and mean_variance_{{ side }} * count_{{ side }} <= 1e-12 * mean_{{ side }} * mean_{{ side }}
        {%- endfor %}
        and not ({{ has_few_events(count_fewest_events("false")) }}),
        false
    )
{%- endmacro %}
