{#- The columns that the page tells for each period: so far, the week before as_of, the week before it.
    Both read `weeks_ago`, and the counts by their names. -#}

{% macro by_period(counts) -%}
    {%- for name in counts %}
        cast(sum({{ name }}) as {{ dbt.type_bigint() }}) as {{ name }},
        cast(sum(case when weeks_ago = 1 then {{ name }} else 0 end) as {{ dbt.type_bigint() }})
            as {{ name }}_week,
        cast(sum(case when weeks_ago = 2 then {{ name }} else 0 end) as {{ dbt.type_bigint() }})
            as {{ name }}_previous_week
        {%- if not loop.last %},{% endif -%}
    {%- endfor %}
{%- endmacro %}

{% macro click_through_by_period() -%}
    {%- for period in ["", "_week", "_previous_week"] %}
        cast(count_clicked{{ period }} as double) / nullif(count_real{{ period }}, 0)
            as click_through{{ period }}
        {%- if not loop.last %},{% endif -%}
    {%- endfor %}
{%- endmacro %}
