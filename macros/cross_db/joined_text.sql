{% macro joined_text(expression, delimiter) -%}
    {#- The distinct values of a group as one sorted text. -#}
    {{ return(adapter.dispatch("joined_text", "counterfoil")(expression, delimiter)) }}
{%- endmacro %}

{% macro default__joined_text(expression, delimiter) -%}
    array_join(sort_array(collect_set({{ expression }})), '{{ delimiter }}')
{%- endmacro %}

{% macro duckdb__joined_text(expression, delimiter) -%}
    string_agg(distinct {{ expression }}, '{{ delimiter }}' order by {{ expression }})
{%- endmacro %}
