{% macro scratch_table(base, suffix, sql) -%}
    {#- Make a table that lives for this model's run only, and return it. -#}
    {{ return(adapter.dispatch("scratch_table", "counterfoil")(base, suffix, sql)) }}
{%- endmacro %}

{% macro default__scratch_table(base, suffix, sql) -%}
    {%- set relation = base.incorporate(path={"identifier": base.identifier ~ "__" ~ suffix}, type="table") -%}
    {%- do drop_scratch_table(relation) -%}
    {%- call statement(suffix) -%}
        {{ create_table_as(false, relation, sql) }}
    {%- endcall -%}
    {{ return(relation) }}
{%- endmacro %}

{% macro duckdb__scratch_table(base, suffix, sql) -%}
    {%- set relation = base.incorporate(path={"identifier": base.identifier ~ "__" ~ suffix}, type="table") -%}
    {%- set relation = relation.include(database=false, schema=false) -%}
    {%- call statement(suffix) -%}
        create or replace temporary table {{ relation }} as ({{ sql }})
    {%- endcall -%}
    {{ return(relation) }}
{%- endmacro %}
