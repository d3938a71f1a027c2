{% macro segment_versions() -%}
    {#-
        The segment versions of the project, from dbt's graph: a list of dictionaries, sorted by key
        and version, with what the yml of the version says (`config.meta`) under its own names, and

            segment_key, version, name (key_v1), unique_id, relation, property_name
            (cio_seg_key_v1), fingerprint

        Empty while dbt still parses.
    -#}
    {%- set versions = [] -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() -%}
            {%- if is_segment_version(node) -%}
                {%- set name = node.name ~ "_v" ~ node.version -%}
                {%- set segment = dict(node.config.meta, **{
                    "segment_key": node.name,
                    "version": node.version | int,
                    "name": name,
                    "unique_id": node.unique_id,
                    "relation": node.relation_name,
                    "property_name": "cio_seg_" ~ name,
                    "fingerprint": "",
                }) -%}
                {%- do versions.append(segment) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(versions | sort(attribute="segment_key,version")) }}
{%- endmacro %}

{% macro is_segment_version(node) -%}
    {{ return(
        node.resource_type == "model"
        and node.package_name == project_name
        and node.version is not none
        and node.original_file_path.replace("\\", "/").startswith("models/segments/")
    ) }}
{%- endmacro %}

{% macro segment_text(text) -%}
    {#- A text of the yml as one SQL literal, null where it is not given. -#}
    cast({{ dbt.string_literal(dbt.escape_single_quotes(text | string | trim)) if text else "null" }} as {{ dbt.type_string() }})
{%- endmacro %}
