{% macro json_list_ids(column, key) -%}
    {#- A row for each element of the list at a key of a JSON text: its `id`, as json_id reads one. -#}
    {{ return(adapter.dispatch("json_list_ids", "counterfoil")(column, key)) }}
{%- endmacro %}

{% macro default__json_list_ids(column, key) -%}
    explode(zip_with(
        {{ parsed_json_at(column, key, "array<struct<id:string>>") }},
        {{ parsed_json_at(column, key, "array<struct<id:double>>") }},
        (text, number) -> case
            when {{ is_json_float("text.id", "number.id") }} then {{ json_number_id("number.id") }}
            else text.id
        end
    ))
{%- endmacro %}

{% macro duckdb__json_list_ids(column, key) -%}
    unnest(list_transform(
        json_extract({{ column }}, '$.{{ key }}[*].id'),
        lambda x: case json_type(x)
            when 'DOUBLE' then regexp_replace(json_extract_string(x, '$'), '[.]0+$', '')
            else json_extract_string(x, '$')
        end
    ))
{%- endmacro %}
