{% macro engine_type(type) -%}
    {#- A type as contracts and registries write it, as the engine writes it: Spark's `varchar` is no type
        without a length. -#}
    {{ return(adapter.dispatch("engine_type", "counterfoil")(type)) }}
{%- endmacro %}

{% macro default__engine_type(type) -%}
    {{ return(dbt.type_string() if type | lower == "varchar" else type) }}
{%- endmacro %}

{% macro duckdb__engine_type(type) -%}
    {{ return(type) }}
{%- endmacro %}

{% macro spark__get_empty_schema_sql(columns) -%}
    {#- dbt's own macro, but for the types: what a contract is held against. -#}
    {%- set typed = {} -%}
    {%- for key, column in columns.items() -%}
        {%- do typed.update({key: dict(column, data_type=engine_type(column["data_type"]))}) -%}
    {%- endfor -%}
    {{ return(default__get_empty_schema_sql(typed)) }}
{%- endmacro %}
