{% macro default__reset_csv_table(model, full_refresh, old_relation, agate_table) -%}
    {#- Made anew each time: into a table that stays, cells go by their place, so that a registry with a new
        column could not be read and one whose columns stand in another order would be read wrongly. -#}
    {%- do adapter.drop_relation(old_relation) -%}
    {{ return(create_csv_table(model, agate_table)) }}
{%- endmacro %}
