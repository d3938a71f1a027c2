{% macro space_trimmed(text) -%}
    {#- A text without the spaces round it, of any width and those that do not break; other blanks stay. -#}
    {{ return(adapter.dispatch("space_trimmed", "counterfoil")(text)) }}
{%- endmacro %}

{% macro default__space_trimmed(text) -%}
    regexp_replace({{ text }}, r'^\p{Zs}+|\p{Zs}+\z', '')
{%- endmacro %}

{% macro duckdb__space_trimmed(text) -%}
    trim({{ text }})
{%- endmacro %}
