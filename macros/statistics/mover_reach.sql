{% macro mover_reach(weight, estimate, limit) -%}
    {#- MOVER (Zou and Donner): how far a weighed sum of independent estimates reaches on one side, from
        each one's own limit on that side. An aggregate over the estimates. -#}
    sqrt(
        {{ steady_sum(
            weight ~ " * " ~ weight ~ " * (" ~ limit ~ " - " ~ estimate ~ ") * ("
            ~ limit ~ " - " ~ estimate ~ ")"
        ) }}
    )
{%- endmacro %}
