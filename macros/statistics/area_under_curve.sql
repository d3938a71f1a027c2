{#- The area under the curve of a predictor with few levels, from counts, and its variance (DeLong and
    others): the chance that somebody it happened to stood on a higher level than somebody it did not, ties
    counted half. -#}

{% macro placement(below, level, all) -%}
    {#- Of the other side, the share that a unit of a level beats. -#}
    (({{ below }} + {{ level }} / 2.0) / nullif(cast({{ all }} as double), 0))
{%- endmacro %}

{% macro spread(weight, deviation, all) -%}
    {#- What one side adds to the variance: an aggregate over the levels. -#}
    {{ steady_sum(weight ~ " * " ~ deviation ~ " * " ~ deviation) }}
    / nullif(({{ all }} - 1) * cast({{ all }} as double), 0)
{%- endmacro %}

{% macro normal_limit(estimate, variance, z, sign, floor, ceiling) -%}
    greatest({{ floor }}, least({{ ceiling }}, {{ estimate }} {{ sign }} {{ z }} * sqrt({{ variance }})))
{%- endmacro %}

{% macro share_limit(count_persons, count_units, z, side) -%}
    {#- A limit of a share by itself. -#}
    {%- set limit = wilson_low if side == "low" else wilson_high -%}
    {{ limit(count_persons, count_units, z) }}
{%- endmacro %}
