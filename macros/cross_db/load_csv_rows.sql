{% macro duckdb__load_csv_rows(model, agate_table) -%}
    {#- The adapter's own macro, but for the path: it hands that over as a pattern. -#}
    {%- set file = file_literal(adapter.get_seed_file_path(model)) -%}
    {%- set sql -%}
        copy {{ this.render() }} from {{ file }} (format csv, header true, delimiter ',')
    {%- endset -%}
    {%- do adapter.add_query(sql, abridge_sql_log=True) -%}
    {{ return(sql) }}
{%- endmacro %}
