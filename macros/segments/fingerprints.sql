{% macro segment_fingerprints() -%}
    {#-
        The logic of every segment version, as one fingerprint and the parts it is made of:

            {"cart_abandoner_v1": {
                "fingerprint": "…",
                "sources": {"models/segments/…sql": "…"},   its own and what it selects from in there
                "macros": {"stays_from": "…"},              all it calls, also through others
                "vars": {"cart_abandoner_wait_hours": 1}}}  the values they read, never as_of

        Comments and layout do not count, nor does anything outside this project. The one place where
        fingerprints are made: the check of a build, dim_segment_versions and `segments lock` ask here.
    -#}
    {%- set fingerprints = {} -%}
    {%- set macros = {} -%}
    {%- for segment in bare_segment_versions() -%}
        {%- set parts = {"sources": {}, "macros": {}, "vars": {}} -%}
        {%- set texts = [] -%}

        {%- set nodes = [segment.unique_id] -%}
        {%- for unique_id in nodes -%}
            {%- set node = graph.nodes[unique_id] -%}
            {%- set path = node.original_file_path.replace("\\", "/") -%}
            {%- set tokens = logic_tokens(node.raw_code) -%}
            {%- do texts.append(tokens) -%}
            {%- do parts["sources"].update({path: local_md5(tokens | join(" "))}) -%}
            {%- for parent_id in node.depends_on.nodes -%}
                {%- set parent = graph.nodes.get(parent_id) -%}
                {%- if parent and parent.resource_type == "model" and parent_id not in nodes
                    and parent.original_file_path.replace("\\", "/").startswith("models/segments/") -%}
                    {%- do nodes.append(parent_id) -%}
                {%- endif -%}
            {%- endfor -%}
        {%- endfor -%}

        {%- for tokens in texts -%}
            {%- for name in called_macros(tokens) -%}
                {%- if name not in parts["macros"] -%}
                    {%- if name not in macros -%}
                        {%- do macros.update({name: logic_tokens(context[project_name][name].macro.macro_sql)}) -%}
                    {%- endif -%}
                    {%- do texts.append(macros[name]) -%}
                    {%- do parts["macros"].update({name: local_md5(macros[name] | join(" "))}) -%}
                {%- endif -%}
            {%- endfor -%}
            {%- for name in read_vars(tokens, segment.name) -%}
                {%- do parts["vars"].update({name: var(name)}) -%}
            {%- endfor -%}
        {%- endfor -%}

        {%- set whole = local_md5(tojson(parts, sort_keys=true)) -%}
        {%- do fingerprints.update({segment.name: dict(parts, fingerprint=whole)}) -%}
    {%- endfor -%}
    {{ return(fingerprints) }}
{%- endmacro %}

{% macro logic_tokens(code) -%}
    {#-
        The words and signs of SQL and Jinja, without comments and layout. Quoted texts stay whole. A
        comment that holds Jinja stays too: dbt runs what stands in it.
    -#}
    {%- set comment = "\\{#.*?#\\}|--(?![^\\n]*\\{[{%])[^\\n]*|/\\*(?:(?!\\{[{%]).)*?\\*/" -%}
    {%- set token = "--[^\\n]*|/\\*.*?\\*/|'(?:[^']|'')*'|\"[^\"]*\"|\\w+|[^\\w\\s]" -%}
    {%- set tokens = modules.re.findall("(?s)" ~ comment ~ "|(" ~ token ~ ")", code) | select | list -%}
    {{ return(tokens) }}
{%- endmacro %}

{% macro called_macros(tokens) -%}
    {#- The macros of this project that a text calls, inside quotes too, sorted, with their forms
        for other engines: a fingerprint is the same on every engine. -#}
    {%- set own = context[project_name] -%}
    {%- set all_names = own | join(" ") -%}
    {%- set names = [] -%}
    {%- for token in modules.re.findall("(\\w+)\\s*\\(", tokens | join(" ")) | unique if token in own -%}
        {%- do names.append(token) -%}
        {%- do names.extend(modules.re.findall("\\b\\w+__" ~ token ~ "\\b", all_names)) -%}
    {%- endfor -%}
    {{ return(names | unique | sort) }}
{%- endmacro %}

{% macro read_vars(tokens, reader) -%}
    {#- The vars that a text reads, sorted. Their names must be written out, or the lock is blind. -#}
    {%- set names = [] -%}
    {%- for call in modules.re.findall("\\bvar\\s*\\(\\s*([^,)\\s]+)", tokens | join(" ")) -%}
        {%- set name = call.strip("\"'") -%}
        {%- if name == call -%}
            {{ exceptions.raise_compiler_error(
                reader ~ " reads a var whose name is computed (" ~ call
                ~ "): write the name out, so that the lock can see its value."
            ) }}
        {%- endif -%}
        {%- if name != "as_of" -%}{%- do names.append(name) -%}{%- endif -%}
    {%- endfor -%}
    {{ return(names | unique | sort) }}
{%- endmacro %}

{% macro print_segments() -%}
    {#- For `counterfoil segments list` and `lock`, through `dbt run-operation`: the versions and the
        parts of their fingerprints as one line of JSON. -#}
    {{ log(
        "segments: " ~ tojson({
            "versions": segment_versions(),
            "fingerprints": segment_fingerprints(),
        }, sort_keys=true),
        info=true
    ) }}
{%- endmacro %}
