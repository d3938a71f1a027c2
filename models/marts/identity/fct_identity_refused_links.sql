with

refused_identifiers as (
    select * from {{ ref("int_identity__refused_identifiers") }}
),

holds as (
    select * from {{ ref("int_identity__holds") }}
),

groups as (
    select * from {{ ref("int_identity__groups") }}
),

merges as (
    select * from {{ ref("int_identity__merges") }}
),

heap_migrations as (
    select * from {{ ref("int_identity__heap_migrations") }}
),

profiles as (
    select * from {{ ref("int_identity__profiles") }}
),

at_refused_identifiers as (
    select
        refused_identifiers.workspace_id,
        refused_identifiers.identifier_type,
        refused_identifiers.identifier,
        holds.cio_id,
        cast(null as {{ dbt.type_string() }}) as other_cio_id,
        refused_identifiers.reason,
        refused_identifiers.count_live_profiles,
        refused_identifiers.max_profiles,
        min(holds.held_from) as refused_at,
        min(holds.learned_at) as learned_at
    from refused_identifiers
    inner join holds
        on
            refused_identifiers.workspace_id = holds.workspace_id
            and refused_identifiers.identifier_type = holds.identifier_type
            and refused_identifiers.identifier = holds.identifier
    group by
        refused_identifiers.workspace_id,
        refused_identifiers.identifier_type,
        refused_identifiers.identifier,
        holds.cio_id,
        refused_identifiers.reason,
        refused_identifiers.count_live_profiles,
        refused_identifiers.max_profiles
),

first_of_stretches as (
    select
        groups.*,
        profiles.person_id,
        row_number() over (
            partition by
                groups.workspace_id, groups.identifier_type, groups.identifier, groups.group_number
            order by groups.held_from, groups.cio_id
        ) as member_number
    from groups
    inner join profiles
        on
            groups.workspace_id = profiles.workspace_id
            and groups.cio_id = profiles.cio_id
),

followed_stretches as (
    select
        *,
        lag(cio_id) over (
            partition by workspace_id, identifier_type, identifier
            order by group_number
        ) as cio_id_before,
        lag(person_id) over (
            partition by workspace_id, identifier_type, identifier
            order by group_number
        ) as person_before
    from first_of_stretches
    where member_number = 1
),

moved as (
    select
        workspace_id,
        identifier_type,
        identifier,
        cio_id,
        cio_id_before as other_cio_id,
        'not held at the same time' as reason,
        cast(null as {{ dbt.type_bigint() }}) as count_live_profiles,
        cast(null as {{ dbt.type_bigint() }}) as max_profiles,
        held_from as refused_at,
        learned_at
    from followed_stretches
    where person_before <> person_id
),

merged_by_heap as (
    select
        workspace_id,
        'heap_user_id' as identifier_type,
        heap_user_id as identifier,
        right_cio_id as cio_id,
        left_cio_id as other_cio_id,
        refused_reason as reason,
        cast(count_live_profiles as {{ dbt.type_bigint() }}) as count_live_profiles,
        max_profiles,
        migrated_at as refused_at,
        cast(null as timestamp) as learned_at
    from heap_migrations
    where refused_reason is not null
),

merges_of_nobody as (
    select
        merges.workspace_id,
        'cio_id' as identifier_type,
        merges.secondary_cio_id as identifier,
        merges.secondary_cio_id as cio_id,
        merges.primary_cio_id as other_cio_id,
        'merge of profiles that no export has shown' as reason,
        cast(null as {{ dbt.type_bigint() }}) as count_live_profiles,
        cast(null as {{ dbt.type_bigint() }}) as max_profiles,
        merges.merged_at as refused_at,
        merges.learned_at
    from merges
    left join profiles
        on
            merges.workspace_id = profiles.workspace_id
            and merges.secondary_cio_id = profiles.cio_id
    where profiles.cio_id is null
),

refused_links as (
    select * from at_refused_identifiers
    union all
    select * from moved
    union all
    select * from merged_by_heap
    union all
    select * from merges_of_nobody
)

select * from refused_links
