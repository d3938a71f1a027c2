{% macro read_project_file(path) -%}
    {#- The text of a file of this project, by its path from the project's folder; empty when there
        is no such file. dbt works from that folder, wherever it was called. -#}
    {{ return(adapter.dispatch("read_project_file", "counterfoil")(path)) }}
{%- endmacro %}

{% macro default__read_project_file(path) -%}
    {%- set lines = run_query("select value from text.`file:" ~ path ~ "`") -%}
    {{ return(lines.columns[0].values() | join("\n")) }}
{%- endmacro %}

{% macro duckdb__read_project_file(path) -%}
    {%- set found = run_query("select file from glob('" ~ path ~ "')") -%}
    {%- if found.rows | length == 0 -%}{{ return("") }}{%- endif -%}
    {{ return(run_query("select content from read_text('" ~ path ~ "')").rows[0][0]) }}
{%- endmacro %}
