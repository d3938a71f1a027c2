{% macro sha256_hex(value) -%}
    {#- SHA-256 of the UTF-8 text, 64 lower-case hex digits. -#}
    {{ return(adapter.dispatch("sha256_hex", "counterfoil")(value)) }}
{%- endmacro %}

{% macro default__sha256_hex(value) -%}
    sha2({{ value }}, 256)
{%- endmacro %}

{% macro duckdb__sha256_hex(value) -%}
    sha256({{ value }})
{%- endmacro %}
