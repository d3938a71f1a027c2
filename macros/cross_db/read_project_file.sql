{% macro read_project_file(path) -%}
    {#- The text of a file of this project, by its path from the project's folder, wherever dbt was
        called; empty when there is no such file. -#}
    {%- set place = (invocation_args_dict.get("project_dir") or ".") ~ "/" ~ path -%}
    {{ return(adapter.dispatch("read_project_file", "counterfoil")(place)) }}
{%- endmacro %}

{% macro default__read_project_file(place) -%}
    {%- set lines = run_query("select value from text.`file:" ~ place ~ "`") -%}
    {{ return(lines.columns[0].values() | join("\n")) }}
{%- endmacro %}

{% macro duckdb__read_project_file(place) -%}
    {%- set file = file_literal(place) -%}
    {%- if run_query("select file from glob(" ~ file ~ ")").rows | length == 0 -%}
        {{ return("") }}
    {%- endif -%}
    {{ return(run_query("select content from read_text(" ~ file ~ ")").rows[0][0]) }}
{%- endmacro %}
