with

groups as (
    select * from {{ ref("int_identity__groups") }}
),

known_profiles as (
    select * from {{ ref("int_identity__known_profiles") }}
),

merges as (
    select * from {{ ref("int_identity__merges") }}
),

heap_migrations as (
    select * from {{ ref("int_identity__heap_migrations") }}
),

aged as (
    select
        groups.*,
        first_value(groups.cio_id) over (
            partition by
                groups.workspace_id, groups.identifier_type, groups.identifier, groups.group_number
            order by {{ older_first() }}
        ) as oldest_cio_id,
        first_value(groups.held_from) over (
            partition by
                groups.workspace_id, groups.identifier_type, groups.identifier, groups.group_number
            order by {{ older_first() }}
        ) as oldest_held_from
    from groups
    inner join known_profiles
        on
            groups.workspace_id = known_profiles.workspace_id
            and groups.cio_id = known_profiles.cio_id
),

shared as (
    select
        workspace_id,
        oldest_cio_id as left_cio_id,
        cio_id as right_cio_id,
        concat('same ', identifier_type) as evidence,
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
    from merges
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
        cast(null as timestamp) as learned_at
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
