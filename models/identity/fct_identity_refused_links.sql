with

refused_identifiers as (
    select * from {{ ref("int_identity__refused_identifiers") }}
),

holds as (
    select * from {{ ref("int_identity__holds") }}
),

identifier_groups as (
    select * from {{ ref("int_identity__groups") }}
),

declared_merges as (
    select * from {{ ref("int_identity__merges") }}
),

profile_merges as (
    select * from {{ ref("stg_customerio__profile_merges") }}
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
        identifier_groups.*,
        profiles.person_id,
        row_number() over (
            partition by
                identifier_groups.workspace_id,
                identifier_groups.identifier_type,
                identifier_groups.identifier,
                identifier_groups.group_number
            order by identifier_groups.held_from, identifier_groups.cio_id
        ) as member_number
    from identifier_groups
    inner join profiles
        on
            identifier_groups.workspace_id = profiles.workspace_id
            and identifier_groups.cio_id = profiles.cio_id
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
        learned_at
    from heap_migrations
    where refused_reason is not null
),

merges_of_nobody as (
    select
        declared_merges.workspace_id,
        'cio_id' as identifier_type,
        declared_merges.secondary_cio_id as identifier,
        declared_merges.secondary_cio_id as cio_id,
        declared_merges.primary_cio_id as other_cio_id,
        'merge of profiles that no export has shown' as reason,
        cast(null as {{ dbt.type_bigint() }}) as count_live_profiles,
        cast(null as {{ dbt.type_bigint() }}) as max_profiles,
        min(declared_merges.merged_at) as refused_at,
        min(declared_merges.learned_at) as learned_at
    from declared_merges
    left join profiles
        on
            declared_merges.workspace_id = profiles.workspace_id
            and declared_merges.secondary_cio_id = profiles.cio_id
    where profiles.cio_id is null
    group by
        declared_merges.workspace_id,
        declared_merges.secondary_cio_id,
        declared_merges.primary_cio_id
),

unreadable_merges as (
    select
        workspace_id,
        'activity' as identifier_type,
        activity_id as identifier,
        coalesce(kept_cio_id, merged_cio_id) as cio_id,
        cast(null as {{ dbt.type_string() }}) as other_cio_id,
        'merge activity that does not name two profiles' as reason,
        cast(null as {{ dbt.type_bigint() }}) as count_live_profiles,
        cast(null as {{ dbt.type_bigint() }}) as max_profiles,
        merged_at as refused_at,
        learned_at
    from profile_merges
    where not is_readable
),

refused_links as (
    select * from at_refused_identifiers
    union all
    select * from moved
    union all
    select * from merged_by_heap
    union all
    select * from merges_of_nobody
    union all
    select * from unreadable_merges
)

select * from refused_links
