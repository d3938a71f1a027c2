{% test unique_combination(model, combination_of_columns) %}
    {#- Rows that share all of the named columns: the stated grain does not hold. -#}
    select {{ combination_of_columns | join(", ") }}
    from {{ model }}
    group by {{ combination_of_columns | join(", ") }}
    having count(*) > 1
{% endtest %}
