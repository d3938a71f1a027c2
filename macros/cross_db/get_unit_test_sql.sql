{% macro spark__get_unit_test_sql(main_sql, expected_fixture_sql, expected_column_names) -%}
    {#- Of the view that dbt has made to know the types: else Spark reads and checks the statement twice. -#}
    {%- set view = make_temp_relation(this.incorporate(type="table")) -%}
    {{ dbt.default__get_unit_test_sql("select * from " ~ view, expected_fixture_sql, expected_column_names) }}
{%- endmacro %}
