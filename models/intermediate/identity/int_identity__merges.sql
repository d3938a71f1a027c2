with

identity_merges as (
    select * from {{ ref("identity_merges") }}
),

known_profiles as (
    select * from {{ ref("int_identity__known_profiles") }}
),

workspaces as (
    select distinct workspace_id
    from known_profiles
),

curated as (
    select
        workspaces.workspace_id,
        nullif(trim(identity_merges.primary_cio_id), '') as primary_cio_id,
        nullif(trim(identity_merges.secondary_cio_id), '') as secondary_cio_id,
        'curated merge' as evidence,
        identity_merges.merged_at
    from identity_merges
    inner join workspaces
        on
            identity_merges.workspace_id is null
            or identity_merges.workspace_id = workspaces.workspace_id
    where
        identity_merges.merged_at is null
        or identity_merges.merged_at < {{ as_of() }}
),

{#- One that was declared for all workspaces counts where either profile is known. -#}
placed as (
    select
        curated.workspace_id,
        curated.primary_cio_id,
        curated.secondary_cio_id,
        curated.evidence,
        primaries.cio_id is not null as is_primary_known,
        secondaries.cio_id is not null as is_secondary_known,
        curated.merged_at,
        cast(null as timestamp) as learned_at
    from curated
    left join known_profiles as primaries
        on
            curated.workspace_id = primaries.workspace_id
            and curated.primary_cio_id = primaries.cio_id
    left join known_profiles as secondaries
        on
            curated.workspace_id = secondaries.workspace_id
            and curated.secondary_cio_id = secondaries.cio_id
    where
        curated.primary_cio_id is not null
        and curated.secondary_cio_id is not null
        and curated.primary_cio_id <> curated.secondary_cio_id
)

select * from placed
