{% macro json_entries(column, key) -%}
    {#-
        A row for each entry of the object at a key of a JSON text, as a struct with `key` and `value`, a
        text. None where the text is no JSON, or there is no object.
    -#}
    {{ return(adapter.dispatch("json_entries", "counterfoil")(column, key)) }}
{%- endmacro %}

{% macro default__json_entries(column, key) -%}
    explode(map_entries(from_json(get_json_object({{ column }}, '$.{{ key }}'), 'map<string,string>')))
{%- endmacro %}

{% macro duckdb__json_entries(column, key) -%}
    unnest(map_entries(json_transform(
        case when json_valid({{ column }}) then json_extract({{ column }}, '$.{{ key }}') end,
        '"MAP(VARCHAR, VARCHAR)"'
    )))
{%- endmacro %}
