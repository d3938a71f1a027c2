{% macro json_list_ids(column, key) -%}
    {#- A row for each element of the list at a key of a JSON text: its `id`, as json_id reads one. -#}
    {{ return(adapter.dispatch("json_list_ids", "counterfoil")(column, key)) }}
{%- endmacro %}

{% macro default__json_list_ids(column, key) -%}
    explode(zip_with(
        {{ parsed_json_at(column, key, "array<struct<id:string>>") }},
        {{ parsed_json_at(column, key, "array<struct<id:double>>") }},
        (text, number) -> case
            when text.id rlike '^-?[0-9]+[.]' and number.id is not null
                then regexp_replace({{ json_number_text("number.id") }}, '[.]0+$', '')
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
