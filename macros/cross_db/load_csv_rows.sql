{% macro duckdb__load_csv_rows(model, agate_table) -%}
    {#- The adapter's own macro, but for the path: it hands that over as a pattern. -#}
    {%- set file = file_literal(adapter.get_seed_file_path(model)) -%}
    {%- set sql -%}
        copy {{ this.render() }} from {{ file }} (format csv, header true, delimiter ',')
    {%- endset -%}
    {%- do adapter.add_query(sql, abridge_sql_log=True) -%}
    {{ return(sql) }}
{%- endmacro %}

{% macro spark__load_csv_rows(model, agate_table) -%}
    {#- The adapter's own macro writes the text `None` for an empty cell. Cells are read as the other engine
        reads them: an empty one is null, every other its text. -#}
    {%- set types = model["config"].get("column_types", {}) -%}
    {%- set statements = [] -%}
    {%- for rows in adapter.csv_rows(model["root_path"], model["original_file_path"]) | batch(1000) -%}
        {%- set sql -%}
            insert into {{ this.render() }} values
            {%- for row in rows %}
            ({%- for name in agate_table.column_names -%}
                {%- set cell = row[loop.index0] -%}
                cast({{ "null" if cell is none else dbt.string_literal(dbt.escape_single_quotes(cell)) }} as {{ engine_type(types[name]) }})
                {{- ", " if not loop.last }}
            {%- endfor -%})
            {{- "," if not loop.last }}
            {%- endfor %}
        {%- endset -%}
        {%- do adapter.add_query(sql, abridge_sql_log=True) -%}
        {%- do statements.append(sql) -%}
    {%- endfor -%}
    {{ return(statements | first or "select 1 as nothing_to_insert") }}
{%- endmacro %}

{% macro spark__create_csv_table(model, agate_table) -%}
    {%- set types = model["config"].get("column_types", {}) -%}
    {%- set sql -%}
        create table {{ this.render() }} (
        {%- for name in agate_table.column_names %}
            {{ name }} {{ engine_type(types[name]) }}{{ "," if not loop.last }}
        {%- endfor %}
        )
        {{ file_format_clause() }}
        {{ location_clause() }}
    {%- endset -%}
    {%- call statement("_") -%}
        {{ sql }}
    {%- endcall -%}
    {{ return(sql) }}
{%- endmacro %}

{% macro spark__escape_single_quotes(expression) -%}
    {#- dbt-spark's own leaves backslashes as they are, which then escape what follows them. -#}
    {{ expression | replace("\\", "\\\\") | replace("'", "\\'") }}
{%- endmacro %}
