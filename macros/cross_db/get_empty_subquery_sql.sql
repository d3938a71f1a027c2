{% macro spark__get_empty_subquery_sql(select_sql, select_sql_header=none) -%}
    {#- The whole of what a unit test asks, for it is read from that view (`spark__get_unit_test_sql`). -#}
    {%- if model.resource_type == "unit_test" -%} {{ return(select_sql) }} {%- endif -%}
    {{ return(dbt.default__get_empty_subquery_sql(select_sql, select_sql_header)) }}
{%- endmacro %}
