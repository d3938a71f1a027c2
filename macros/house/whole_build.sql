{% macro whole_build_table() -%}
    {{ target.schema }}.whole_build
{%- endmacro %}

{% macro forget_whole_build() -%}
    {#- Before anything is built (on-run-start): from here on the warehouse is between two states.
        `dbt test` alone changes no row and leaves the mark as it is. -#}
    {%- if execute and flags.WHICH != "test" -%}
        drop table if exists {{ whole_build_table() }}
    {%- endif -%}
{%- endmacro %}

{% macro mark_whole_build() -%}
    {#- The last statement of a build (on-run-end): one row, there only while every relation is of
        one build, whose tests all passed. Readers refuse a warehouse without it
        (pipelines/built/whole.py). It lies in the warehouse, so that it goes wherever the file goes. -#}
    {%- if execute and is_whole_build() -%}
        create table {{ whole_build_table() }} as
        select
            {{ as_of() }} as as_of,
            cast('{{ invocation_id }}' as {{ dbt.type_string() }}) as build_id,
            cast('{{ code_fingerprint() }}' as {{ dbt.type_string() }}) as code,
            cast('{{ inputs_fingerprint() }}' as {{ dbt.type_string() }}) as inputs
    {%- endif -%}
{%- endmacro %}

{% macro is_whole_build() -%}
    {#- Whether this invocation built and tested everything, and all of it went well. What was left
        out shows twice: in how dbt was called (unit tests stand in no graph), and in nodes without
        a result (`dbt retry` is called as the build before it was). An exposure is nothing to build:
        its result is a no-op. -#}
    {%- set narrowed = ["select", "exclude", "selector", "resource_types", "exclude_resource_types", "empty", "sample"] -%}
    {%- set state = namespace(is_whole=flags.WHICH == "build") -%}
    {%- set apart = ["unit_test"] if env_var("COUNTERFOIL_UNIT_TESTS", "") == "apart" else [] -%}
    {%- for option in narrowed if invocation_args_dict.get(option) -%}
        {%- if option != "exclude_resource_types" or invocation_args_dict[option] | list != apart -%}
            {%- set state.is_whole = false -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set passed = [] -%}
    {%- for result in results -%}
        {%- if result.status | string in ["success", "pass", "warn"] -%}
            {%- do passed.append(result.node.unique_id) -%}
        {%- elif result.status | string != "no-op" -%}
            {%- set state.is_whole = false -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set built_nodes = ["model", "seed", "snapshot", "test"] -%}
    {%- for node in graph.nodes.values()
        if node.resource_type in built_nodes and node.config.materialized != "ephemeral" -%}
        {%- if node.unique_id not in passed -%}
            {%- set state.is_whole = false -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(state.is_whole) }}
{%- endmacro %}

{% macro code_fingerprint() -%}
    {#- One hash of what was built from: models, tests, macros, contracts, declarations, and every var but
        the instant. The same code, the same hash, wherever it is built. -#}
    {%- set parts = [read_project_file("dbt_project.yml")] -%}
    {%- for unique_id in graph.nodes | sort if graph.nodes[unique_id].resource_type != "seed" -%}
        {%- set node = graph.nodes[unique_id] -%}
        {%- do parts.append([unique_id, node.raw_code, node.contract, node.config.meta] | string) -%}
    {%- endfor -%}
    {%- for name in context[project_name] | sort -%}
        {%- do parts.append(context[project_name][name].macro.macro_sql) -%}
    {%- endfor -%}
    {%- for name, value in (invocation_args_dict.get("vars") or {}) | dictsort if name != "as_of" -%}
        {%- do parts.append([name, value] | string) -%}
    {%- endfor -%}
    {{ return(local_md5(parts | join("\n"))) }}
{%- endmacro %}

{% macro inputs_fingerprint() -%}
    {#- One hash of what was read: the registries, and every loaded file by its name and content. -#}
    {%- set parts = [] -%}
    {%- for unique_id in graph.nodes | sort if graph.nodes[unique_id].resource_type == "seed" -%}
        {%- do parts.append([unique_id, graph.nodes[unique_id].checksum.checksum] | string) -%}
    {%- endfor -%}
    {%- for files in graph.sources.values() if files.source_name == "loads" and files.name == "files" -%}
        {%- set loaded = run_query(
            "select distinct file_name, content_hash from " ~ files.relation_name ~ " order by file_name, content_hash"
        ) -%}
        {%- for file in loaded.rows -%}
            {%- do parts.append([file[0], file[1]] | string) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(local_md5(parts | join("\n"))) }}
{%- endmacro %}
