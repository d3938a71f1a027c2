{% macro first_json_text(places) -%}
    {#- The first non-blank text among places of JSON columns, each written `column.key.key`. -#}
    coalesce(
        {%- for place in places %}
        {%- set column, key = place.split(".", 1) %}
        {{ not_blank(json_text(column, key)) }}{{ "," if not loop.last }}
        {%- endfor %},
        null
    )
{%- endmacro %}
