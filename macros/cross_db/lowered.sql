{% macro lowered(text) -%}
    {#- A text in small letters, each by itself: the last sigma of a word as any other, and the Turkish capital
        with a dot as a plain one. -#}
    {{ return(adapter.dispatch("lowered", "counterfoil")(text)) }}
{%- endmacro %}

{% macro default__lowered(text) -%}
    lower(translate({{ text }}, 'İΣ', 'iσ'))
{%- endmacro %}

{% macro duckdb__lowered(text) -%}
    lower({{ text }})
{%- endmacro %}
