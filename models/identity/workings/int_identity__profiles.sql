with

known_profiles as (
    select * from {{ ref("int_identity__known_profiles") }}
),

declared_merges as (
    select * from {{ ref("int_identity__merges") }}
),

components as (
    select * from {{ ref("int_identity__components") }}
),

-- A merge may name a profile that no export has shown: it belongs to the person all the same.
named_by_merges as (
    select
        workspace_id,
        primary_cio_id as cio_id
    from declared_merges
    where not is_primary_known
    union
    select
        workspace_id,
        secondary_cio_id as cio_id
    from declared_merges
    where not is_secondary_known
),

profiles as (
    select
        workspace_id,
        cio_id,
        true as is_known,
        created_at,
        first_seen_at
    from known_profiles
    union all
    select
        workspace_id,
        cio_id,
        false as is_known,
        cast(null as timestamp) as created_at,
        cast(null as timestamp) as first_seen_at
    from named_by_merges
),

placed as (
    select
        profiles.*,
        components.component_id
    from profiles
    left join components
        on {{ profile_node("profiles.workspace_id", "profiles.cio_id") }} = components.node_id
),

-- The person is called after its oldest profile, so a merge keeps the older profile's id.
gathered as (
    select
        workspace_id,
        cio_id,
        first_value(cio_id) over (
            partition by workspace_id, component_id
            order by is_known desc, {{ older_first(none) }}
        ) as oldest_cio_id,
        max(case when is_known then 1 else 0 end) over (
            partition by workspace_id, component_id
        ) = 1 as has_known_profile
    from placed
    where component_id is not null
    union all
    select
        workspace_id,
        cio_id,
        cio_id as oldest_cio_id,
        is_known as has_known_profile
    from placed
    where component_id is null
),

resolved as (
    select
        workspace_id,
        cio_id,
        {{ person_id("workspace_id", "oldest_cio_id") }} as person_id
    from gathered
    where has_known_profile
)

select * from resolved
