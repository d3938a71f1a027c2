{% macro as_of_text() -%}
    {#- The instant of the build as ISO text. Time enters here and nowhere else; without the var,
        the current UTC hour. -#}
    {%- set given = var("as_of", "") | string -%}
    {{- given if given else run_started_at.strftime("%Y-%m-%d %H:00:00") -}}
{%- endmacro %}

{% macro as_of() -%}
    cast('{{ as_of_text() }}' as timestamp)
{%- endmacro %}
