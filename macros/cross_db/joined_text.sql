{% macro joined_text(expression, delimiter) -%}
    {#- The distinct values of a group as one sorted text; null without values. -#}
    {{ return(adapter.dispatch("joined_text", "counterfoil")(expression, delimiter)) }}
{%- endmacro %}

{% macro default__joined_text(expression, delimiter) -%}
    case
        when count({{ expression }}) > 0 then array_join(sort_array(collect_set({{ expression }})), '{{ delimiter }}')
    end
{%- endmacro %}

{% macro duckdb__joined_text(expression, delimiter) -%}
    string_agg(distinct {{ expression }}, '{{ delimiter }}' order by {{ expression }})
{%- endmacro %}
