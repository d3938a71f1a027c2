{% macro drop_scratch_table(relation) -%}
    {{ return(adapter.dispatch("drop_scratch_table", "counterfoil")(relation)) }}
{%- endmacro %}

{% macro default__drop_scratch_table(relation) -%}
    {%- call statement("drop_scratch") -%}
        drop table if exists {{ relation }}
    {%- endcall -%}
{%- endmacro %}
