{% macro listed_text(expression, place, delimiter) -%}
    {#- The texts of a group one after the other, in the order of `place`, a number that no two of
        them share; a null is left out, and a group of nulls is null. -#}
    {{ return(adapter.dispatch("listed_text", "counterfoil")(expression, place, delimiter)) }}
{%- endmacro %}

{% macro default__listed_text(expression, place, delimiter) -%}
    case
        when count({{ expression }}) > 0
            then array_join(
                transform(
                    sort_array(collect_list(struct({{ place }} as place, {{ expression }} as said))),
                    item -> item.said
                ),
                '{{ delimiter }}'
            )
    end
{%- endmacro %}

{% macro duckdb__listed_text(expression, place, delimiter) -%}
    string_agg({{ expression }}, '{{ delimiter }}' order by {{ place }})
{%- endmacro %}
