{% macro people_needed(rate, ratio, alpha, power) -%}
    {#- People of both arms together, half of them held out, with whom a rate so many times another is found
        with that power. Null where the rate leaves no room for it. -#}
    {%- set raised = "(" ~ ratio ~ " * " ~ rate ~ ")" -%}
    case
        when {{ rate }} > 0 and {{ raised }} < 1
            then cast(
                ceil(
                    2.0
                    * power(
                        {{ normal_quantile("1.0 - " ~ alpha ~ " / 2.0") }}
                        + {{ normal_quantile("cast(" ~ power ~ " as double)") }},
                        2
                    )
                    * ({{ rate }} * (1.0 - {{ rate }}) + {{ raised }} * (1.0 - {{ raised }}))
                    / (({{ raised }} - {{ rate }}) * ({{ raised }} - {{ rate }}))
                ) as {{ dbt.type_bigint() }}
            )
    end
{%- endmacro %}
