{% macro get_expected_sql(rows, column_name_to_data_types, column_name_to_quoted) -%}
    {{ return(adapter.dispatch("expected_sql", "counterfoil")(rows, column_name_to_data_types, column_name_to_quoted)) }}
{%- endmacro %}

{% macro default__expected_sql(rows, column_name_to_data_types, column_name_to_quoted) -%}
    {{ return(dbt.get_expected_sql(rows, column_name_to_data_types, column_name_to_quoted)) }}
{%- endmacro %}

{% macro spark__expected_sql(rows, column_name_to_data_types, column_name_to_quoted) -%}
    {#- As one list of values, not a union of a select for each row. -#}
    {%- if not rows -%}
        {{ return(dbt.get_expected_sql(rows, column_name_to_data_types, column_name_to_quoted)) }}
    {%- endif -%}
    {%- set names, listed = [], [] -%}
    {%- for row in rows -%}
        {%- set formatted = dbt.format_row(row, column_name_to_data_types) -%}
        {%- if loop.first -%}
            {%- for name in formatted -%} {%- do names.append(column_name_to_quoted[name]) -%} {%- endfor -%}
        {%- endif -%}
        {%- do listed.append("(" ~ formatted.values() | join(", ") ~ ")") -%}
    {%- endfor -%}
    {{ return("select * from values " ~ listed | join(", ") ~ " as expected (" ~ names | join(", ") ~ ")") }}
{%- endmacro %}
