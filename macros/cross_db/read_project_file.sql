{% macro read_project_file(path) -%}
    {#- The text of a file of this project, by its path from the project's folder, wherever dbt was
        called; empty when there is no such file. -#}
    {%- set place = (invocation_args_dict.get("project_dir") or ".") ~ "/" ~ path -%}
    {{ return(adapter.dispatch("read_project_file", "counterfoil")(place)) }}
{%- endmacro %}

{% macro default__read_project_file(place) -%}
    {#- Read where dbt runs: executors have no project (pipelines/engines/spark_adapter.py). -#}
    {{ return(adapter.read_file(place)) }}
{%- endmacro %}

{% macro duckdb__read_project_file(place) -%}
    {%- set file = file_literal(place) -%}
    {%- if run_query("select file from glob(" ~ file ~ ")").rows | length == 0 -%}
        {{ return("") }}
    {%- endif -%}
    {{ return(run_query("select content from read_text(" ~ file ~ ")").rows[0][0]) }}
{%- endmacro %}
