-- Customer.io makes a profile of an id that it does not hold, so only the people export says who is alive: a
-- profile that a webhook called may be gone.
with

people_versions as (
    select * from {{ ref("stg_customerio__people_versions") }}
),

people as (
    select * from {{ ref("stg_customerio__people") }}
),

profiles as (
    select * from {{ ref("int_identity__profiles") }}
),

declared_merges as (
    select * from {{ ref("int_identity__merges") }}
),

known_profiles as (
    select * from {{ ref("int_identity__known_profiles") }}
),

exported as (
    select
        *,
        row_number() over (
            partition by workspace_id, cio_id
            order by updated_at desc
        ) as version_rank
    from people_versions
    where not is_called
),

merged_away as (
    select distinct
        workspace_id,
        secondary_cio_id as cio_id
    from declared_merges
),

stated as (
    select
        profiles.workspace_id,
        profiles.cio_id,
        profiles.person_id,
        exported.customer_id,
        {{ lowered("exported.email") }} as email,
        exported.cio_id is not null
        and merged_away.cio_id is null
        and not exported.is_deleted
        and not exported.is_suppressed
        and not coalesce(people.is_deleted, true)
        and not coalesce(people.is_suppressed, true) as is_alive,
        merged_away.cio_id is not null as is_merged_away,
        known_profiles.created_at,
        known_profiles.first_seen_at
    from profiles
    left join exported
        on
            profiles.workspace_id = exported.workspace_id
            and profiles.cio_id = exported.cio_id
            and exported.version_rank = 1
    left join people
        on
            profiles.workspace_id = people.workspace_id
            and profiles.cio_id = people.cio_id
    left join known_profiles
        on
            profiles.workspace_id = known_profiles.workspace_id
            and profiles.cio_id = known_profiles.cio_id
    left join merged_away
        on
            profiles.workspace_id = merged_away.workspace_id
            and profiles.cio_id = merged_away.cio_id
)

select * from stated
