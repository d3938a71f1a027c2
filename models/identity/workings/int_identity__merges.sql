with

identity_merges as (
    select * from {{ ref("identity_merges") }}
),

profile_merges as (
    select * from {{ ref("stg_customerio__profile_merges") }}
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
        {{ not_blank("identity_merges.primary_cio_id") }} as primary_cio_id,
        {{ not_blank("identity_merges.secondary_cio_id") }} as secondary_cio_id,
        'curated merge' as evidence,
        identity_merges.merged_at,
        cast(null as timestamp) as learned_at
    from identity_merges
    inner join workspaces
        on
            identity_merges.workspace_id is null
            or identity_merges.workspace_id = workspaces.workspace_id
    where
        identity_merges.merged_at is null
        or identity_merges.merged_at < {{ as_of() }}
),

-- Repeats of one merge are one: the first says when.
told as (
    select
        workspace_id,
        kept_cio_id as primary_cio_id,
        merged_cio_id as secondary_cio_id,
        'merge activity' as evidence,
        min(merged_at) as merged_at,
        min(learned_at) as learned_at
    from profile_merges
    where is_readable
    group by workspace_id, kept_cio_id, merged_cio_id
),

declared as (
    select * from curated
    union all
    select * from told
),

placed as (
    select
        declared.workspace_id,
        declared.primary_cio_id,
        declared.secondary_cio_id,
        declared.evidence,
        primaries.cio_id is not null as is_primary_known,
        secondaries.cio_id is not null as is_secondary_known,
        declared.merged_at,
        declared.learned_at
    from declared
    left join known_profiles as primaries
        on
            declared.workspace_id = primaries.workspace_id
            and declared.primary_cio_id = primaries.cio_id
    left join known_profiles as secondaries
        on
            declared.workspace_id = secondaries.workspace_id
            and declared.secondary_cio_id = secondaries.cio_id
    where
        declared.primary_cio_id is not null
        and declared.secondary_cio_id is not null
        and declared.primary_cio_id <> declared.secondary_cio_id
)

select * from placed
