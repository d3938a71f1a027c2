{% macro trimmed(value) -%}
    {#-
        A text without the blanks round it: spaces of any kind, ends of lines, and what shows nothing.
        Loading and erasing trim the same characters (pipelines/blanks.py).
    -#}
    {{ return(adapter.dispatch("trimmed", "counterfoil")(value)) }}
{%- endmacro %}

{% macro default__trimmed(value) -%}
    regexp_replace({{ value }}, r'^[{{ blanks() }}]+|[{{ blanks() }}]+$', '')
{%- endmacro %}

{% macro duckdb__trimmed(value) -%}
    regexp_replace({{ value }}, '^[{{ blanks() }}]+|[{{ blanks() }}]+$', '', 'g')
{%- endmacro %}

{% macro blanks() -%}
    \x{9}-\x{D}\x{1C}-\x{20}\x{85}\x{A0}\x{1680}\x{180E}\x{2000}-\x{200F}\x{2028}-\x{202F}
    {{- "\\x{205F}-\\x{2064}\\x{2066}-\\x{2069}\\x{3000}\\x{FEFF}" -}}
{%- endmacro %}

{% macro not_blank(value) -%}
    {#- The text without the blanks round it; null where nothing is left. -#}
    nullif({{ trimmed(value) }}, '')
{%- endmacro %}
