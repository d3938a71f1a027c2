with

identifier_groups as (
    select * from {{ ref("int_identity__groups") }}
),

known_profiles as (
    select * from {{ ref("int_identity__known_profiles") }}
),

declared_merges as (
    select * from {{ ref("int_identity__merges") }}
),

heap_migrations as (
    select * from {{ ref("int_identity__heap_migrations") }}
),

aged as (
    select
        identifier_groups.*,
        first_value(identifier_groups.cio_id) over (
            partition by
                identifier_groups.workspace_id,
                identifier_groups.identifier_type,
                identifier_groups.identifier,
                identifier_groups.group_number
            order by {{ older_first() }}
        ) as oldest_cio_id,
        first_value(identifier_groups.held_from) over (
            partition by
                identifier_groups.workspace_id,
                identifier_groups.identifier_type,
                identifier_groups.identifier,
                identifier_groups.group_number
            order by {{ older_first() }}
        ) as oldest_held_from
    from identifier_groups
    inner join known_profiles
        on
            identifier_groups.workspace_id = known_profiles.workspace_id
            and identifier_groups.cio_id = known_profiles.cio_id
),

shared as (
    select
        workspace_id,
        oldest_cio_id as left_cio_id,
        cio_id as right_cio_id,
        'same ' || identifier_type as evidence,
        identifier_type,
        identifier,
        greatest(held_from, oldest_held_from) as linked_at,
        learned_at
    from aged
    where cio_id <> oldest_cio_id
),

merged as (
    select
        workspace_id,
        primary_cio_id as left_cio_id,
        secondary_cio_id as right_cio_id,
        evidence,
        cast(null as {{ dbt.type_string() }}) as identifier_type,
        cast(null as {{ dbt.type_string() }}) as identifier,
        merged_at as linked_at,
        learned_at
    from declared_merges
),

migrated as (
    select
        workspace_id,
        left_cio_id,
        right_cio_id,
        'heap migration' as evidence,
        'heap_user_id' as identifier_type,
        heap_user_id as identifier,
        migrated_at as linked_at,
        learned_at
    from heap_migrations
    where refused_reason is null
),

linked as (
    select * from shared
    union all
    select * from merged
    union all
    select * from migrated
)

select * from linked
