{#-
    materialized='connected_components': which nodes hang together.

    The model's SQL gives links as text, `select left_id, right_id`, and should read a table: it is
    read twice. The result has one row per node that has a link:

        node_id       text as given
        node_key      63-bit hash of it, of this engine; a lookup key, no more
        component_id  the smallest node_key of its component

    A later run patches: it looks at the links that came or went since the last run, relabels the
    components they touch, and leaves the rest alone. The result equals a full refresh.

    config links='all' (default): the SQL gives every link; what came and went is found by comparing.
    config links='added': after the first run the SQL gives only links that are new (`is_patch()`
    tells it so); none can go. The cost then follows the change alone.
-#}
{% materialization connected_components, default %}
    {%- set target_relation = this.incorporate(type="table") -%}
    {%- set state_relation = this.incorporate(path={"identifier": this.identifier ~ "__links"}, type="table") -%}
    {%- set gives_all = config.get("links", "all") == "all" -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {%- set links = scratch_table(this, "current", hashed_links(sql)) -%}
    {%- do refuse_collisions(count_rows(links, "left_key = right_key")) -%}
    {%- if is_patch() -%}
        {%- do patch_components(target_relation, state_relation, links, sql, gives_all) -%}
    {%- else -%}
        {%- do make_components(target_relation, state_relation, links, sql, gives_all) -%}
    {%- endif -%}
    {%- do drop_scratch_table(links) -%}

    {%- call statement("main") -%}
        select count(*) as count_nodes from {{ target_relation }}
    {%- endcall -%}

    {%- do persist_docs(target_relation, model) -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({"relations": [target_relation]}) }}
{% endmaterialization %}


{% macro is_patch() -%}
    {#- Whether this run patches the last one's result. An engine whose hash has changed since starts anew. -#}
    {%- if not execute or flags.FULL_REFRESH -%}{{ return(false) }}{%- endif -%}
    {%- set existing = load_relation(this) -%}
    {%- set state = load_relation(this.incorporate(path={"identifier": this.identifier ~ "__links"})) -%}
    {%- if existing is none or state is none or not existing.is_table -%}{{ return(false) }}{%- endif -%}
    {%- set sample = run_query(
        "select count(*) as count_strange from (select * from " ~ existing ~ " limit 100) as sampled where node_key <> "
        ~ hash64("node_id")
    ) -%}
    {{ return((sample.columns[0].values()[0] | int) == 0) }}
{%- endmacro %}


{% macro hashed_links(sql) -%}
    select distinct
        least(left_key, right_key) as left_key,
        greatest(left_key, right_key) as right_key
    from (
        select
            {{ hash64("left_id") }} as left_key,
            {{ hash64("right_id") }} as right_key
        from ({{ sql }}) as links
        where left_id <> right_id
    ) as keyed
{%- endmacro %}


{% macro named_nodes(sql, keys=none) -%}
    {#- The ends of the links, each with its name once. keys: only those in this relation. -#}
    select
        node_id,
        {{ hash64("node_id") }} as node_key
    from (
        {%- for side in ["left_id", "right_id"] %}
        {{ "union" if not loop.first }}
        select {{ side }} as node_id
        from ({{ sql }}) as {{ side }}s
        where left_id <> right_id
            {%- if keys is not none %}
            and {{ hash64(side) }} in (select node_key from {{ keys }})
            {%- endif %}
        {%- endfor %}
    ) as ends
{%- endmacro %}


{% macro refuse_collisions(count_collisions) -%}
    {%- if count_collisions > 0 -%}
        {{ exceptions.raise_compiler_error(
            "Two different identifiers share one 63-bit hash, which would join two strangers: "
            ~ "no components were made. Change hash64 for this engine."
        ) }}
    {%- endif -%}
{%- endmacro %}


{% macro make_components(target_relation, state_relation, links, sql, gives_all) -%}
    {%- set nodes = scratch_table(target_relation, "nodes", named_nodes(sql)) -%}
    {%- set labels = contract_graph(target_relation, links) -%}
    {#- A name has a hash of its own, and every hash a label: more names than labels are a collision. -#}
    {%- do refuse_collisions(count_rows(nodes) - count_rows(labels)) -%}
    {%- set smallest = scratch_table(target_relation, "smallest",
        "select label, min(node_key) as component_id from " ~ labels ~ " group by label"
    ) -%}
    {%- do replace_table(target_relation, (
        "select nodes.node_id, nodes.node_key, smallest.component_id from " ~ nodes ~ " as nodes "
        ~ "inner join " ~ labels ~ " as labels on nodes.node_key = labels.node_key "
        ~ "inner join " ~ smallest ~ " as smallest on labels.label = smallest.label"
    )) -%}
    {%- do replace_table(state_relation,
        "select left_key, right_key from " ~ links ~ (" where false" if not gives_all else "")
    ) -%}
    {%- for scratch in [nodes, labels, smallest] -%}{%- do drop_scratch_table(scratch) -%}{%- endfor -%}
{%- endmacro %}


{% macro patch_components(target_relation, state_relation, links, sql, gives_all) -%}
    {#- What came, what went. -#}
    {%- if gives_all -%}
        {%- set added = scratch_table(target_relation, "added", (
            "select links.* from " ~ links ~ " as links left join " ~ state_relation ~ " as known "
            ~ "on links.left_key = known.left_key and links.right_key = known.right_key "
            ~ "where known.left_key is null"
        )) -%}
        {%- set removed = scratch_table(target_relation, "removed", (
            "select known.left_key, known.right_key from " ~ state_relation ~ " as known left join " ~ links ~ " as links "
            ~ "on known.left_key = links.left_key and known.right_key = links.right_key "
            ~ "where links.left_key is null"
        )) -%}
    {%- else -%}
        {%- set added = scratch_table(target_relation, "added", "select * from " ~ links) -%}
        {%- set removed = scratch_table(target_relation, "removed", "select * from " ~ links ~ " where false") -%}
    {%- endif -%}

    {%- if count_rows(added) + count_rows(removed) > 0 -%}
        {#- Components that lost a link are taken apart to their nodes; others enter as they are. -#}
        {%- set broken = scratch_table(target_relation, "broken", (
            "select known.node_id, known.node_key from " ~ target_relation ~ " as known where known.component_id in ("
            ~ "select component_id from " ~ target_relation ~ " where node_key in ("
            ~ "select left_key from " ~ removed ~ " union all select right_key from " ~ removed ~ "))"
        )) -%}
        {%- set loose = scratch_table(target_relation, "loose", (
            "select left_key, right_key from " ~ added
            ~ " union select links.left_key, links.right_key from " ~ links ~ " as links "
            ~ "inner join " ~ broken ~ " as broken on links.left_key = broken.node_key"
        )) -%}
        {%- set ends = scratch_table(target_relation, "ends", (
            "select ends.node_key, case when known.node_key is null or broken.node_key is not null "
            ~ "then ends.node_key else known.component_id end as part_key, "
            ~ "known.node_key is null as is_new from (select left_key as node_key from " ~ loose
            ~ " union select right_key from " ~ loose ~ ") as ends "
            ~ "left join " ~ target_relation ~ " as known on ends.node_key = known.node_key "
            ~ "left join " ~ broken ~ " as broken on ends.node_key = broken.node_key"
        )) -%}
        {%- set parts = scratch_table(target_relation, "parts", (
            "select distinct least(lefts.part_key, rights.part_key) as left_key, "
            ~ "greatest(lefts.part_key, rights.part_key) as right_key from " ~ loose ~ " as loose "
            ~ "inner join " ~ ends ~ " as lefts on loose.left_key = lefts.node_key "
            ~ "inner join " ~ ends ~ " as rights on loose.right_key = rights.node_key "
            ~ "where lefts.part_key <> rights.part_key"
        )) -%}
        {%- set labels = contract_graph(target_relation, parts) -%}
        {%- set moved = scratch_table(target_relation, "moved", (
            "select labels.node_key as part_key, smallest.component_id from " ~ labels ~ " as labels inner join ("
            ~ "select label, min(node_key) as component_id from " ~ labels ~ " group by label) as smallest "
            ~ "on labels.label = smallest.label"
        )) -%}
        {%- set named = scratch_table(target_relation, "named", (
            "select nodes.node_id, nodes.node_key, known.node_id as known_id from ("
            ~ named_nodes(sql, ends) ~ ") as nodes left join " ~ target_relation
            ~ " as known on nodes.node_key = known.node_key"
        )) -%}
        {%- do refuse_collisions(
            count_rows(named) - count_rows(ends) + count_rows(named, "known_id <> node_id")
        ) -%}
        {%- set fresh = scratch_table(target_relation, "fresh", (
            "select named.node_id, named.node_key, moved.component_id from " ~ named ~ " as named inner join "
            ~ moved ~ " as moved on named.node_key = moved.part_key where named.known_id is null "
            ~ "union all select broken.node_id, broken.node_key, moved.component_id from " ~ broken
            ~ " as broken inner join " ~ moved ~ " as moved on broken.node_key = moved.part_key"
        )) -%}
        {%- do apply_component_patch(target_relation, broken, moved, fresh) -%}
        {%- if gives_all -%}{%- do apply_link_patch(state_relation, links, added, removed) -%}{%- endif -%}
        {%- for scratch in [broken, loose, ends, parts, labels, moved, named, fresh] -%}
            {%- do drop_scratch_table(scratch) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- do drop_scratch_table(added) -%}
    {%- do drop_scratch_table(removed) -%}
{%- endmacro %}


{% macro replace_table(relation, sql) -%}
    {#- Build beside, then swap: a reader never finds half a table. -#}
    {%- set existing = load_relation(relation) -%}
    {%- set beside = make_intermediate_relation(relation) -%}
    {%- do adapter.drop_relation(beside) -%}
    {%- call statement("replace_table") -%}
        {{ create_table_as(false, beside, sql) }}
    {%- endcall -%}
    {%- if existing is not none -%}{%- do adapter.drop_relation(existing) -%}{%- endif -%}
    {%- do adapter.rename_relation(beside, relation) -%}
{%- endmacro %}
