{% macro require_identity_rules() -%}
    {#-
        No rule, no build: stops with a sentence where the rules declare no primary identifier, or
        another one than this warehouse was built with and no migration says so. Gives no SQL.
    -#}
    {%- if execute and flags.WHICH in ("build", "run") -%}
        {%- set primaries = run_query(
            "select count(*) as count_rules from " ~ ref("identity_rules")
            ~ " where lower(" ~ trimmed("role") ~ ") = 'primary'"
        ).columns[0].values()[0] | int -%}
        {%- if primaries == 0 -%}
            {{ exceptions.raise_compiler_error(
                "identity_rules.csv declares no primary identifier, so nobody can be told apart: "
                ~ "declare one row with the role primary (ours is customer_id)."
            ) }}
        {%- endif -%}
        {%- set built = load_relation(this) -%}
        {%- if built is not none -%}
            {%- set changed = run_query(changed_primaries(built)) -%}
            {%- for row in changed.rows -%}
                {{ exceptions.raise_compiler_error(
                    "The primary identifier of workspace " ~ row[0] ~ " changed from " ~ row[1] ~ " to " ~ row[2]
                    ~ " and identity_migrations.csv does not say so: Heap would invent a second user for everybody. "
                    ~ "Rehearse it with `counterfoil identity migrate`, then declare the migration."
                ) }}
            {%- endfor -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}


{% macro changed_primaries(built) -%}
    {#- Workspaces whose primary identifier is not the one of the last build, undeclared. -#}
    with

    before as (
        select
            workspace_id,
            min(identifier_type) as identifier_type
        from {{ built }}
        where role = 'primary'
        group by workspace_id
    ),

    ranked as (
        select
            before.workspace_id,
            rules.identifier_type,
            lower({{ trimmed("rules.role") }}) as role,
            row_number() over (
                partition by before.workspace_id, rules.identifier_type
                order by rules.workspace_id nulls last
            ) as rule_rank
        from before
        inner join {{ ref("identity_rules") }} as rules
            on
                rules.workspace_id is null
                or before.workspace_id = rules.workspace_id
    ),

    changed as (
        select
            before.workspace_id,
            before.identifier_type as from_identifier_type,
            ranked.identifier_type as to_identifier_type
        from before
        inner join ranked
            on
                before.workspace_id = ranked.workspace_id
                and ranked.rule_rank = 1
                and ranked.role = 'primary'
        where before.identifier_type <> ranked.identifier_type
    ),

    undeclared as (
        select
            changed.workspace_id,
            changed.from_identifier_type,
            changed.to_identifier_type
        from changed
        left join {{ ref("identity_migrations") }} as migrations
            on
                (migrations.workspace_id is null or changed.workspace_id = migrations.workspace_id)
                and changed.from_identifier_type = migrations.from_identifier_type
                and changed.to_identifier_type = migrations.to_identifier_type
        where migrations.to_identifier_type is null
    )

    select * from undeclared
    order by workspace_id
{%- endmacro %}
