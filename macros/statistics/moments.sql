{#- Variances from counts and sums, each said once. Null without the units that they need. -#}

{% macro rate_variance(successes, trials) -%}
    {#- p(1 - p). -#}
    {{ successes }} * ({{ trials }} - {{ successes }})
    / nullif(cast({{ trials }} as double) * {{ trials }}, 0)
{%- endmacro %}

{% macro rate_sample_variance(successes, trials) -%}
    {#- n - 1, of what has happened or not. Where it happened to nobody or to everybody, of a success and a
        failure more (Agresti and Caffo): few units that are alike do not say that all are. -#}
    {%- set rate = "(" ~ successes ~ " + 1.0) / (nullif(" ~ trials ~ ", 0) + 2.0)" -%}
    case
        when {{ successes }} in (0, {{ trials }}) then {{ rate }} * (1.0 - {{ rate }})
        else {{ rate_variance(successes, trials) }} * {{ trials }} / nullif({{ trials }} - 1, 0)
    end
{%- endmacro %}

{% macro sample_covariance(sum_x, sum_y, sum_xy, units) -%}
    {#- n - 1. -#}
    ({{ sum_xy }} - {{ sum_x }} * {{ sum_y }} / nullif({{ units }}, 0)) / nullif({{ units }} - 1, 0)
{%- endmacro %}

{% macro sample_variance(sum_y, sum_yy, units) -%}
    {#- n - 1; rounding takes none below zero. -#}
    greatest(0.0, {{ sum_yy }} - {{ sum_y }} * {{ sum_y }} / nullif({{ units }}, 0))
    / nullif({{ units }} - 1, 0)
{%- endmacro %}

{% macro skewness(sum_y, sum_yy, sum_yyy, units) -%}
    {#- Third central moment over the cubed deviation, n. A single unit has no shape and no variance:
        taken as skewed by one, it never passes a gate. -#}
    {%- set mean = "(" ~ sum_y ~ " / nullif(" ~ units ~ ", 0))" -%}
    {%- set variance -%}
        greatest(
            0.0,
            {{ sum_yy }} / nullif({{ units }}, 0)
            - {{ sum_y }} * {{ sum_y }} / nullif(cast({{ units }} as double) * {{ units }}, 0)
        )
    {%- endset -%}
    case
        when {{ units }} = 1 then 1.0
        else
            (
                {{ sum_yyy }} / nullif({{ units }}, 0)
                - 3.0 * {{ mean }} * {{ variance }}
                - {{ mean }} * {{ mean }} * {{ mean }}
            ) / nullif({{ variance }} * sqrt({{ variance }}), 0)
    end
{%- endmacro %}
