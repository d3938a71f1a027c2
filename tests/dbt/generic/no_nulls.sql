{% test no_nulls(model, columns) %}
    {#- Columns that lack a value somewhere, with the number of rows: one query for all columns of a relation. -#}
    {%- for column in columns %}
    select
        '{{ column }}' as column_without_value,
        count(*) as count_rows
    from {{ model }}
    where {{ column }} is null
    having count(*) > 0
    {{ "union all" if not loop.last }}
    {%- endfor %}
{% endtest %}
