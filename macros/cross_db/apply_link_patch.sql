{% macro apply_link_patch(state_relation, links, added, removed) -%}
    {#- Remember the links of this run for the next one's comparison. -#}
    {{ return(adapter.dispatch("apply_link_patch", "counterfoil")(state_relation, links, added, removed)) }}
{%- endmacro %}

{% macro default__apply_link_patch(state_relation, links, added, removed) -%}
    {%- do replace_table(state_relation, "select left_key, right_key from " ~ links) -%}
{%- endmacro %}

{% macro duckdb__apply_link_patch(state_relation, links, added, removed) -%}
    {%- call statement("forget_links") -%}
        delete from {{ state_relation }} as known using {{ removed }} as removed
        where known.left_key = removed.left_key and known.right_key = removed.right_key
    {%- endcall -%}
    {%- call statement("remember_links") -%}
        insert into {{ state_relation }} select left_key, right_key from {{ added }}
    {%- endcall -%}
{%- endmacro %}
