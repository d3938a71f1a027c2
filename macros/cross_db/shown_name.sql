{% macro shown_name(name) -%}
    {#- A name that other people gave, as it may be shown: without control and direction-changing
        characters, and not longer than 120. -#}
    {{ return(adapter.dispatch("shown_name", "counterfoil")(name)) }}
{%- endmacro %}

{% macro default__shown_name(name) -%}
    regexp_replace(
        {{ space_trimmed(
            "regexp_replace(regexp_replace(" ~ name ~ ", r'[\\p{Cc}\\p{Zl}\\p{Zp}]', ' '), r'[\\p{Cf}\\p{Co}]', '')"
        ) }},
        '^(.{119}).{2,}$', '$1…'
    )
{%- endmacro %}

{% macro duckdb__shown_name(name) -%}
    regexp_replace(
        trim(regexp_replace(
            regexp_replace({{ name }}, '[\p{Cc}\p{Zl}\p{Zp}]', ' ', 'g'), '[\p{Cf}\p{Co}]', '', 'g'
        )),
        '^(.{119}).{2,}$', '\1…'
    )
{%- endmacro %}
