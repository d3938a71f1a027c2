{% macro get_fixture_sql(rows, column_name_to_data_types) -%}
    {#- The rows that a unit test gives, as dbt asks for them. -#}
    {{ return(adapter.dispatch("fixture_sql", "counterfoil")(rows, column_name_to_data_types)) }}
{%- endmacro %}

{% macro default__fixture_sql(rows, column_name_to_data_types) -%}
    {{ return(dbt.get_fixture_sql(rows, column_name_to_data_types)) }}
{%- endmacro %}

{% macro spark__fixture_sql(rows, column_name_to_data_types) -%}
    {#- As one list of values: dbt's own is a union of a select for each row, which Spark copies into the
        plan as often as a model reads it. -#}
    {%- if column_name_to_data_types or not rows -%}
        {{ return(dbt.get_fixture_sql(rows, column_name_to_data_types)) }}
    {%- endif -%}
    {%- set types, unknown, quoted = {}, {}, [] -%}
    {%- for column in adapter.get_columns_in_relation(this) -%}
        {%- do types.update({column.name | lower: column.data_type}) -%}
        {%- do unknown.update({column.name | lower: dbt.safe_cast("null", column.data_type) | trim}) -%}
        {%- do quoted.append(column.quoted) -%}
    {%- endfor -%}
    {%- if not types -%}
        {{ return(dbt.get_fixture_sql(rows, column_name_to_data_types)) }}
    {%- endif -%}
    {%- do dbt.validate_fixture_rows(rows, none) -%}
    {%- set listed = [] -%}
    {%- for row in rows -%}
        {%- set given = dict(unknown, **dbt.format_row(row, types)) -%}
        {%- do listed.append("(" ~ given.values() | join(", ") ~ ")") -%}
    {%- endfor -%}
    {{ return("select * from values " ~ listed | join(", ") ~ " as fixture (" ~ quoted | join(", ") ~ ")") }}
{%- endmacro %}
