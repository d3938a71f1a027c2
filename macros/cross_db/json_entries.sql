{% macro json_entries(column, key) -%}
    {#-
        A row for each entry of the object at a key of a JSON text, as a struct with `key` and `value`, a
        text. None where the text is no JSON, or there is no object.
    -#}
    {{ return(adapter.dispatch("json_entries", "counterfoil")(column, key)) }}
{%- endmacro %}

{% macro default__json_entries(column, key) -%}
    {#-
        Of a key that stands there twice, DuckDB takes the first, and of an object that has one twice,
        nothing. What is nested more than a thousand deep, Spark reads past, but does not copy.
    -#}
    {%- set found = parsed_json_at(column, key, "map<string,string>") -%}
    explode(element_at(transform(
        transform(
            array({{ parsed_json(column, "map<string,string>") }}['{{ key }}']),
            object -> map_entries(case
                when {{ found }} is not null
                    then coalesce({{ parsed_json("object", "map<string,string>") }}, {{ found }})
            end)
        ),
        entries -> case
            when size(entries) = size(array_distinct(entries.key)) then entries
        end
    ), 1))
{%- endmacro %}

{% macro duckdb__json_entries(column, key) -%}
    unnest(map_entries(json_transform(
        case when json_valid({{ column }}) then json_extract({{ column }}, '$.{{ key }}') end,
        '"MAP(VARCHAR, VARCHAR)"'
    )))
{%- endmacro %}
