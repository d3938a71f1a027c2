{% macro json_id(column, key) -%}
    {#- An identifier in JSON: text as it is written, a whole number by its digits (1001.0 is 1001), null
        where blank. -#}
    {{ not_blank(adapter.dispatch("json_id", "counterfoil")(column, key)) }}
{%- endmacro %}

{% macro default__json_id(column, key) -%}
    {#- only a number is one by its digits: a text of the same digits stays as it is -#}
    {{ parsed_json_text(column, key, is_id=true) }}
{%- endmacro %}

{% macro duckdb__json_id(column, key) -%}
    case json_type({{ column }}, '$.{{ key }}')
        when 'DOUBLE' then regexp_replace(json_extract_string({{ column }}, '$.{{ key }}'), '[.]0+$', '')
        else json_extract_string({{ column }}, '$.{{ key }}')
    end
{%- endmacro %}
