{% macro apply_component_patch(target_relation, broken, moved, fresh) -%}
    {#- Write a patch into a components table: `broken` nodes go, components in `moved` get their new
        id, `fresh` nodes come. By default the table is written anew; in place where that works. -#}
    {{ return(adapter.dispatch("apply_component_patch", "counterfoil")(target_relation, broken, moved, fresh)) }}
{%- endmacro %}

{% macro default__apply_component_patch(target_relation, broken, moved, fresh) -%}
    {%- do replace_table(target_relation, (
        "select known.node_id, known.node_key, coalesce(moved.component_id, known.component_id) as component_id from "
        ~ target_relation ~ " as known left join " ~ moved ~ " as moved on known.component_id = moved.part_key "
        ~ "left join " ~ broken ~ " as broken on known.node_key = broken.node_key "
        ~ "where broken.node_key is null union all select node_id, node_key, component_id from " ~ fresh
    )) -%}
{%- endmacro %}

{% macro duckdb__apply_component_patch(target_relation, broken, moved, fresh) -%}
    {%- call statement("remove_broken") -%}
        delete from {{ target_relation }} where node_key in (select node_key from {{ broken }})
    {%- endcall -%}
    {%- call statement("move_components") -%}
        update {{ target_relation }} as known
        set component_id = moved.component_id
        from {{ moved }} as moved
        where known.component_id = moved.part_key and moved.component_id <> moved.part_key
    {%- endcall -%}
    {%- call statement("add_fresh") -%}
        insert into {{ target_relation }} select node_id, node_key, component_id from {{ fresh }}
    {%- endcall -%}
{%- endmacro %}
