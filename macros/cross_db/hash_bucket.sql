{% macro hash_bucket(salt, subject_key) -%}
    {#- Bucket 0 to 9999 of a subject under a salt. Keys are trimmed, never case-folded. -#}
    {{ bucket_of_text(dbt.concat([salt, "'-'", space_trimmed(subject_key)])) }}
{%- endmacro %}

{% macro bucket_of_text(text) -%}
    {#- The first eight hex digits of the MD5 of the UTF-8 text, as a number, modulo 10,000. -#}
    {{ return(adapter.dispatch("bucket_of_text", "counterfoil")(text)) }}
{%- endmacro %}

{% macro default__bucket_of_text(text) -%}
    cast(conv(substring(md5({{ text }}), 1, 8), 16, 10) as bigint) % 10000
{%- endmacro %}

{% macro duckdb__bucket_of_text(text) -%}
    cast('0x' || substring(md5({{ text }}), 1, 8) as bigint) % 10000
{%- endmacro %}
