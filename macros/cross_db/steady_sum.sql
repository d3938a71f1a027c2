{% macro steady_sum(expression) -%}
    {#- Sum of floating numbers from the smallest to the largest: the order of rows, which engines
        do not promise, cannot move the last digit. Null without values, as a sum. -#}
    {{ return(adapter.dispatch("steady_sum", "counterfoil")(expression)) }}
{%- endmacro %}

{% macro default__steady_sum(expression) -%}
    case
        when count({{ expression }}) > 0
            then aggregate(
                array_sort(collect_list(cast({{ expression }} as double))),
                cast(0 as double),
                (total, value) -> total + value
            )
    end
{%- endmacro %}

{% macro duckdb__steady_sum(expression) -%}
    sum({{ expression }} order by {{ expression }})
{%- endmacro %}
