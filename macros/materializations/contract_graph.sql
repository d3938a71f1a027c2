{% macro contract_graph(base, links) -%}
    {#-
        Connected components by random contraction: returns a scratch table (node_key, label).

        Each round gives every node the representative that is smallest, in an order drawn for the
        round, among itself and its neighbours, and joins the links' ends by it. About a dozen
        rounds whatever the shape, where following links one by one takes as many rounds as the
        longest chain. Needs only min, xor, distinct and joins. See docs/identity.md.

        base: the relation scratch tables are named after.
        links: a relation (left_key, right_key) of bigints, ends different.
    -#}
    {%- set state = namespace(rounds=[], links=links, open=true, constant=4294967291) -%}
    {%- for round in range(64) if state.open -%}
        {%- set state.constant = (state.constant * 6364136223846793005 + 1442695040888963407) % 9223372036854775808 -%}
        {%- set order_key = "cast(" ~ state.constant ~ " as bigint)" -%}
        {%- set neighbour_order = "min(" ~ xor64("neighbour_key", order_key) ~ ")" -%}
        {%- set own_order = xor64("node_key", order_key) -%}
        {%- set representatives = scratch_table(base, "round_" ~ round, (
            "select node_key, " ~ xor64("least(" ~ own_order ~ ", " ~ neighbour_order ~ ")", order_key)
            ~ " as label from (select left_key as node_key, right_key as neighbour_key from "
            ~ state.links ~ " union all select right_key, left_key from " ~ state.links
            ~ ") as neighbours group by node_key"
        )) -%}
        {%- do state.rounds.append(representatives) -%}
        {%- set contracted = scratch_table(base, "links_" ~ round, (
            "select distinct least(lefts.label, rights.label) as left_key, "
            ~ "greatest(lefts.label, rights.label) as right_key from " ~ state.links ~ " as links "
            ~ "inner join " ~ representatives ~ " as lefts on links.left_key = lefts.node_key "
            ~ "inner join " ~ representatives ~ " as rights on links.right_key = rights.node_key "
            ~ "where lefts.label <> rights.label"
        )) -%}
        {%- if round > 0 -%}{%- do drop_scratch_table(state.links) -%}{%- endif -%}
        {%- set state.links = contracted -%}
        {%- set state.open = count_rows(contracted) > 0 -%}
    {%- endfor -%}
    {%- do drop_scratch_table(state.links) -%}
    {%- if state.open -%}
        {{ exceptions.raise_compiler_error("The links did not contract within 64 rounds: this is a defect.") }}
    {%- endif -%}

    {%- set labels = namespace(relation=state.rounds[-1]) -%}
    {%- for earlier in (state.rounds[:-1] | reverse) -%}
        {%- set composed = scratch_table(base, "labels_" ~ loop.revindex, (
            "select earlier.node_key, coalesce(later.label, earlier.label) as label from "
            ~ earlier ~ " as earlier left join " ~ labels.relation
            ~ " as later on earlier.label = later.node_key"
        )) -%}
        {%- do drop_scratch_table(labels.relation) -%}
        {%- do drop_scratch_table(earlier) -%}
        {%- set labels.relation = composed -%}
    {%- endfor -%}
    {{ return(labels.relation) }}
{%- endmacro %}

{% macro count_rows(relation, condition="true") -%}
    {%- set result = run_query("select count(*) as count_rows from " ~ relation ~ " where " ~ condition) -%}
    {{ return(result.columns[0].values()[0] | int) }}
{%- endmacro %}
