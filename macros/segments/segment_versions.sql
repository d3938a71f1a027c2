{% macro segment_versions() -%}
    {#-
        The segment versions of the project, from dbt's graph: a list of dictionaries, sorted by key
        and version, with what the yml of the version says (`config.meta`) under its own names, and

            segment_key, version, name (key_v1), unique_id, relation, property_name
            (cio_seg_key_v1), fingerprint, logic (the same for two versions that say the same)

        Empty while dbt still parses.
    -#}
    {%- set versions = [] -%}
    {%- if execute -%}
        {%- set fingerprints = segment_fingerprints() -%}
        {%- for segment in bare_segment_versions() -%}
            {%- set parts = fingerprints[segment.name] -%}
            {%- do versions.append(dict(
                segment,
                fingerprint=parts["fingerprint"],
                logic=local_md5(tojson([
                    parts["sources"].values() | list | sort,
                    parts["macros"],
                    parts["vars"].values() | map("string") | sort,
                ], sort_keys=true))
            )) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(versions) }}
{%- endmacro %}

{% macro bare_segment_versions() -%}
    {#- The same without fingerprints: cheap. -#}
    {%- set versions = [] -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() -%}
            {%- if is_segment_version(node) -%}
                {%- set name = node.name ~ "_v" ~ node.version -%}
                {%- do versions.append(dict(node.config.meta, **{
                    "segment_key": node.name,
                    "version": node.version | int,
                    "name": name,
                    "unique_id": node.unique_id,
                    "relation": node.relation_name,
                    "property_name": "cio_seg_" ~ name,
                })) -%}
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

{% macro exported_segment_columns(with_retired=true) -%}
    {#-
        What heap_user_properties carries of segments: a list of dictionaries with segment_key,
        version, property_name and is_retired (past valid_to at as_of).

        A retired version keeps its column while it is marked is_exported, and nobody is in it: its
        members are told `false` once, by the ordinary rule that a changed value is sent.
    -#}
    {%- set columns = [] -%}
    {%- for segment in bare_segment_versions() -%}
        {%- if segment.is_exported -%}
            {%- set is_retired = is_retired_at_as_of(segment.valid_to) -%}
            {%- if with_retired or not is_retired -%}
                {%- do columns.append({
                    "segment_key": segment.segment_key,
                    "version": segment.version,
                    "property_name": segment.property_name,
                    "is_retired": is_retired,
                }) -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}

{% macro is_retired_at_as_of(valid_to) -%}
    {#- ISO texts of one form sort as their instants do. -#}
    {{ return(
        valid_to is not none
        and iso_seconds(valid_to) <= iso_seconds(as_of_text())
    ) }}
{%- endmacro %}

{% macro iso_seconds(instant) -%}
    {{ return((instant | string | trim | replace("T", " ") ~ " 00:00:00")[:19]) }}
{%- endmacro %}

{% macro segment_text(text) -%}
    {#- A text of the yml as one SQL literal, null where it is not given. -#}
    {%- set literal = dbt.string_literal(dbt.escape_single_quotes(text | string | trim)) if text else "null" -%}
    cast({{ literal }} as {{ dbt.type_string() }})
{%- endmacro %}
