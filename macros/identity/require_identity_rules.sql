{% macro require_identity_rules() -%}
    {#-
        No rule, no build: stops with a sentence where the rules declare no primary identifier, another
        one than is locked (identity_lock.csv), or another one than this warehouse was built with and no
        migration says so. Gives no SQL.
    -#}
    {%- if execute and flags.WHICH in ("build", "run") -%}
        {%- set primaries = run_query(
            "select count(*) as count_rules from " ~ ref("identity_rules")
            ~ " where " ~ lowered(trimmed("role")) ~ " = 'primary'"
        ).columns[0].values()[0] | int -%}
        {%- if primaries == 0 -%}
            {{ exceptions.raise_compiler_error(
                "identity_rules.csv declares no primary identifier, so nobody can be told apart: "
                ~ "declare one row with the role primary (ours is customer_id)."
            ) }}
        {%- endif -%}
        {%- for row in run_query(unlocked_primaries()).rows -%}
            {%- set whose = "workspace " ~ row[0] if row[0] is not none else "all workspaces" -%}
            {{ exceptions.raise_compiler_error(
                "The primary identifier of " ~ whose ~ " is " ~ (row[1] or "none") ~ " in identity_rules.csv, and "
                ~ (row[2] or "none") ~ " is locked: undo that, or rehearse it (`counterfoil identity migrate`), "
                ~ "declare it in identity_migrations.csv, and run `counterfoil identity lock`; a folder's own first "
                ~ "choice: `identity lock --registries DIR`."
            ) }}
        {%- endfor -%}
        {%- for row in run_query(groundless_locks()).rows -%}
            {{ exceptions.raise_compiler_error(
                "identity_lock.csv locks " ~ row[0] ~ " on the rehearsal `" ~ row[1] ~ "`, and the last migration in "
                ~ "identity_migrations.csv says otherwise: restore both from version control, or rehearse, declare "
                ~ "and lock anew."
            ) }}
        {%- endfor -%}
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
            {{ lowered(trimmed("rules.role")) }} as role,
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


{% macro unlocked_primaries() -%}
    {#- Workspaces, null for all others, whose rules and lock name different primary identifiers. What holds for
        all others holds for a workspace without a row of its own; rules that nothing locks are refused too. -#}
    with

    declared as (
        select
            workspace_id,
            {{ trimmed("identifier_type") }} as identifier_type
        from {{ ref("identity_rules") }}
        where {{ lowered(trimmed("role")) }} = 'primary'
    ),

    locked as (
        select
            workspace_id,
            identifier_type
        from {{ ref("identity_lock") }}
    ),

    scopes as (
        select workspace_id from declared
        union
        select workspace_id from locked
    ),

    of_all as (
        select
            (select max(identifier_type) from declared where workspace_id is null) as declared_type,
            (select max(identifier_type) from locked where workspace_id is null) as locked_type
    ),

    compared as (
        select
            scopes.workspace_id,
            coalesce(declared.identifier_type, of_all.declared_type) as declared_type,
            coalesce(locked.identifier_type, of_all.locked_type) as locked_type
        from scopes
        cross join of_all
        left join declared
            on scopes.workspace_id = declared.workspace_id
        left join locked
            on scopes.workspace_id = locked.workspace_id
    )

    select * from compared
    where
        declared_type is not null
        and declared_type <> coalesce(locked_type, '')
    order by workspace_id
{%- endmacro %}


{% macro groundless_locks() -%}
    {#- Locks that do not rest on the last migration declared for their workspace, or for all; where none
        is declared, on the first choice. -#}
    with

    ranked as (
        select
            locked.workspace_id,
            locked.identifier_type,
            locked.rehearsal,
            migrations.to_identifier_type,
            migrations.rehearsal as declared_rehearsal,
            row_number() over (
                partition by locked.workspace_id
                order by
                    case when migrations.workspace_id is null then 1 else 0 end,
                    migrations.decided_on desc
            ) as migration_rank
        from {{ ref("identity_lock") }} as locked
        left join {{ ref("identity_migrations") }} as migrations
            on
                migrations.workspace_id is null
                or locked.workspace_id = migrations.workspace_id
    )

    select
        identifier_type,
        rehearsal
    from ranked
    where
        migration_rank = 1
        and (
            identifier_type <> coalesce(to_identifier_type, identifier_type)
            or rehearsal <> coalesce(declared_rehearsal, 'first choice')
        )
{%- endmacro %}
