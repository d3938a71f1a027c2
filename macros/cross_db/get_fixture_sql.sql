{% macro get_fixture_sql(rows, column_name_to_data_types) -%}
    {#- The rows that a unit test gives, as dbt asks for them. -#}
    {{ return(adapter.dispatch("fixture_sql", "counterfoil")(rows, column_name_to_data_types)) }}
{%- endmacro %}

{% macro default__fixture_sql(rows, column_name_to_data_types) -%}
    {{ return(dbt.get_fixture_sql(rows, column_name_to_data_types)) }}
{%- endmacro %}

{% macro spark__fixture_sql(rows, column_name_to_data_types) -%}
    {#- As one list of values, in which the columns stand that a row gives: dbt's own is a union of a select
        of all columns for each row, which Spark copies into the plan as often as a model reads it. -#}
    {%- if column_name_to_data_types or not rows -%}
        {{ return(dbt.get_fixture_sql(rows, column_name_to_data_types)) }}
    {%- endif -%}
    {%- set columns = adapter.get_columns_in_relation(this) -%}
    {%- set types, unknown, shown = {}, {}, [] -%}
    {%- for column in columns -%}
        {%- do types.update({column.name | lower: column.data_type}) -%}
    {%- endfor -%}
    {%- if not types -%}
        {{ return(dbt.get_fixture_sql(rows, column_name_to_data_types)) }}
    {%- endif -%}
    {%- do dbt.validate_fixture_rows(rows, none) -%}
    {%- set formatted = [] -%}
    {%- for row in rows -%}
        {%- do formatted.append(dbt.format_row(row, types)) -%}
    {%- endfor -%}
    {%- for column in columns -%}
        {%- set name = column.name | lower -%}
        {%- set nothing = dbt.safe_cast("null", column.data_type) | trim -%}
        {%- if formatted | selectattr(name, "defined") | first is defined -%}
            {%- do unknown.update({name: nothing}) -%}
            {%- do shown.append(column.quoted) -%}
        {%- else -%}
            {%- do shown.append(nothing ~ " as " ~ column.quoted) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if not unknown -%}
        {{ return(dbt.get_fixture_sql(rows, column_name_to_data_types)) }}
    {%- endif -%}
    {%- set listed = [] -%}
    {%- for row in formatted -%}
        {%- set given = dict(unknown, **row) -%}
        {%- do listed.append("(" ~ given.values() | join(", ") ~ ")") -%}
    {%- endfor -%}
    {%- set names = [] -%}
    {%- for column in columns if (column.name | lower) in unknown -%}
        {%- do names.append(column.quoted) -%}
    {%- endfor -%}
    {{ return(
        "select " ~ shown | join(", ") ~ " from values " ~ listed | join(", ")
        ~ " as fixture (" ~ names | join(", ") ~ ")"
    ) }}
{%- endmacro %}
