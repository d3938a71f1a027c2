{% macro check_segments() -%}
    {#-
        Runs at the start of every build (on-run-start): refuses a locked version whose logic has
        changed, an incomplete or doubled definition, and more exports than anybody looks at.
        Every problem is one sentence that names the version and the way out.
    -#}
    {%- if execute -%}
        {%- set segments = segment_versions() -%}
        {%- set problems = definition_problems(segments) + lock_problems(segments) + wiring_problems(segments)
            + budget_problems(segments) -%}
        {%- if problems -%}
            {{ exceptions.raise_compiler_error(problems | join("\n")) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{% macro definition_problems(segments) -%}
    {#- What a version's yml must say, and that no two say the same thing. -#}
    {%- set problems = [] -%}
    {%- set seen = {} -%}
    {%- for segment in segments -%}
        {%- set name = segment.name -%}
        {%- set node = graph.nodes[segment.unique_id] -%}
        {%- set path = "models/segments/" ~ segment.segment_key ~ "/" ~ name ~ ".sql" -%}

        {%- if not modules.re.match("^[a-z][a-z0-9]*(_[a-z0-9]+)*$", segment.segment_key) -%}
            {%- do problems.append(name ~ ": the key of a segment is snake_case.") -%}
        {%- endif -%}
        {%- if node.original_file_path.replace("\\", "/") != path -%}
            {%- do problems.append(name ~ ": its place is " ~ path ~ ".") -%}
        {%- endif -%}

        {%- set wanted = ["description", "valid_from"] -%}
        {%- if segment.is_exported -%}
            {%- set wanted = wanted + ["motion", "owner", "cadence", "reason", "service_level"] -%}
        {%- endif -%}
        {%- for fact in wanted -%}
            {%- if not (segment.get(fact) or "") | string | trim -%}
                {%- do problems.append(
                    name ~ ": config.meta of its yml lacks " ~ fact
                    ~ (", which an exported segment needs." if segment.is_exported else ".")
                ) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- if segment.is_exported and segment.get("cadence") not in cadences() + [none] -%}
            {%- do problems.append(
                name ~ ": cadence is " ~ cadences()[:-1] | join(", ") ~ " or " ~ cadences()[-1] ~ "."
            ) -%}
        {%- endif -%}
        {%- if segment.get("valid_to") is not none
            and iso_seconds(segment.valid_to) <= iso_seconds(segment.valid_from) -%}
            {%- do problems.append(name ~ ": valid_to must lie after valid_from.") -%}
        {%- endif -%}

        {#- the same words in the key, in the rule, or the same logic #}
        {%- set words = modules.re.findall("[a-z0-9]+", segment.segment_key) | map("replace", "s", "") -%}
        {%- set rule = modules.re.sub("\\W+", " ", (segment.get("description") or "") | lower) | trim -%}
        {%- set sameness = [["name", "key " ~ words | sort | join(" "), segment.segment_key]] -%}
        {%- if rule -%}
            {%- do sameness.append(["rule in words", "rule " ~ rule, name]) -%}
        {%- endif -%}
        {%- if segment.is_exported -%}
            {%- do sameness.append(["logic", "logic " ~ segment.logic, name]) -%}
        {%- endif -%}
        {%- for what, mark, holder in sameness -%}
            {%- if seen.get(mark, holder) != holder -%}
                {%- do problems.append(
                    name ~ " says the same as " ~ seen[mark] ~ " (" ~ what ~ "): keep one of them."
                ) -%}
            {%- endif -%}
            {%- do seen.update({mark: holder}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(problems) }}
{%- endmacro %}

{% macro lock_problems(segments) -%}
    {#- Versions whose logic is not what models/segments/segments.lock recorded. -#}
    {%- set locked = fromyaml(read_project_file("models/segments/segments.lock")) or {} -%}
    {%- set current = segment_fingerprints() -%}
    {%- set problems = [] -%}
    {%- for segment in segments -%}
        {%- set name = segment.name -%}
        {%- if name not in locked and segment.is_exported -%}
            {%- do problems.append(
                name ~ " is exported but not locked: run `counterfoil segments lock` and commit the lock."
            ) -%}
        {%- elif name not in locked -%}
            {%- do exceptions.warn(name ~ " is not locked yet: `counterfoil segments lock` when it is done.") -%}
        {%- elif locked[name]["fingerprint"] != current[name]["fingerprint"] -%}
            {%- do problems.append(
                name ~ " is locked and its logic has changed (" ~ changed_parts(locked[name], current[name])
                ~ "): undo that, or make the change in a new version with `counterfoil segments new "
                ~ segment.segment_key ~ " --from " ~ segment.version ~ "`."
            ) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for name in locked | sort if name not in current -%}
        {%- do problems.append(
            name ~ " is locked and gone: bring it back and give it a valid_to, or, if nobody was ever told of it, "
            ~ "`counterfoil segments lock --forget " ~ name ~ "`."
        ) -%}
    {%- endfor -%}
    {{ return(problems) }}
{%- endmacro %}

{% macro changed_parts(locked, current) -%}
    {#- Which source, macro or var made the difference, in a few words. -#}
    {%- set changes = [] -%}
    {%- for kind, word in [("vars", "var"), ("sources", "file"), ("macros", "macro")] -%}
        {%- set before = locked.get(kind) or {} -%}
        {%- set after = current[kind] -%}
        {%- for part in (before.keys() | list + after.keys() | list) | unique | sort -%}
            {%- if before.get(part) != after.get(part) -%}
                {%- set values = " from " ~ before.get(part) ~ " to " ~ after.get(part) if kind == "vars" else "" -%}
                {%- do changes.append(word ~ " " ~ part ~ values) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(changes | join(", ")) }}
{%- endmacro %}

{% macro wiring_problems(segments) -%}
    {#- dbt must know the versions before it can look at its own graph, and the columns of
        heap_user_properties stand in a contract: both are written by hand and checked here. -#}
    {%- set problems = [] -%}
    {%- for node in graph.nodes.values() if node.package_name == project_name and node.resource_type == "model" -%}
        {%- if node.name == "fct_segment_memberships" -%}
            {%- for segment in segments if segment.unique_id not in node.depends_on.nodes -%}
                {%- do problems.append(
                    segment.name ~ " is not united: add the line `-- depends_on: {{ ref(\"" ~ segment.segment_key
                    ~ "\", v=" ~ segment.version ~ ") }}` to " ~ node.original_file_path ~ "."
                ) -%}
            {%- endfor -%}
        {%- elif node.name == "heap_user_properties" -%}
            {%- set exported = segments | selectattr("is_exported") | map(attribute="property_name") | list -%}
            {%- for property in exported if property not in node.columns -%}
                {%- do problems.append(
                    node.name ~ ".yml lacks the column " ~ property ~ " of an exported segment: add it (boolean)."
                ) -%}
            {%- endfor -%}
            {%- for property in node.columns if property.startswith("cio_seg_") and property not in exported -%}
                {%- do problems.append(
                    node.name ~ ".yml has the column " ~ property ~ ", which no exported segment fills: remove it."
                ) -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(problems) }}
{%- endmacro %}

{% macro budget_problems(segments) -%}
    {#- Exported versions that are not retired (var segment_budget): warn below, refuse above. More needs an
        override with an owner and an expiry date (var segment_budget_override). -#}
    {%- set problems = [] -%}
    {%- set budget = segment_budget() -%}
    {%- set least = budget["least"] -%}
    {%- set most = budget["most"] -%}
    {%- set override = var("segment_budget_override") or {} -%}
    {%- if override and not (override.get("most") and override.get("owner") and override.get("expires_on")) -%}
        {%- do problems.append("segment_budget_override needs most, owner and expires_on.") -%}
    {%- endif -%}
    {%- set count = namespace(exported=0) -%}
    {%- for segment in segments if segment.is_exported and not is_retired_at_as_of(segment.get("valid_to")) -%}
        {%- set count.exported = count.exported + 1 -%}
    {%- endfor -%}
    {%- if count.exported > most -%}
        {%- do problems.append(
            count.exported ~ " segment versions are exported and " ~ most ~ " are allowed: retire one (valid_to), or "
            ~ "declare segment_budget_override with most, owner and expires_on in dbt_project.yml."
        ) -%}
    {%- elif count.exported < least -%}
        {%- do exceptions.warn(
            "Only " ~ count.exported ~ " segment versions are exported; " ~ least ~ " to " ~ most ~ " is the usual range."
        ) -%}
    {%- endif -%}
    {{ return(problems) }}
{%- endmacro %}
