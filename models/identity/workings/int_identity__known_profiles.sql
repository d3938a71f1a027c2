with

people as (
    select * from {{ ref("stg_customerio__people") }}
),

people_versions as (
    select * from {{ ref("stg_customerio__people_versions") }}
),

attributes as (
    select * from {{ ref("stg_customerio__attributes") }}
),

subjects as (
    select * from {{ ref("stg_customerio__subjects") }}
),

deliveries as (
    select * from {{ ref("stg_customerio__deliveries") }}
),

sightings as (
    select
        workspace_id,
        cio_id,
        min(created_at) as created_at,
        min(case when updated_at > {{ epoch() }} then updated_at end) as first_seen_at,
        min(learned_at) as learned_at
    from people_versions
    group by workspace_id, cio_id
    union all
    select
        workspace_id,
        cio_id,
        cast(null as timestamp) as created_at,
        min(changed_at) as first_seen_at,
        min(learned_at) as learned_at
    from attributes
    group by workspace_id, cio_id
    union all
    select
        workspace_id,
        cio_id,
        cast(null as timestamp) as created_at,
        min(started_at) as first_seen_at,
        cast(null as timestamp) as learned_at
    from subjects
    where cio_id is not null
    group by workspace_id, cio_id
    union all
    select
        workspace_id,
        cio_id,
        cast(null as timestamp) as created_at,
        min(created_at) as first_seen_at,
        cast(null as timestamp) as learned_at
    from deliveries
    where cio_id is not null
    group by workspace_id, cio_id
),

profiles as (
    select
        workspace_id,
        cio_id,
        min(created_at) as created_at,
        min(first_seen_at) as first_seen_at,
        min(learned_at) as learned_at
    from sightings
    group by workspace_id, cio_id
),

stated as (
    select
        profiles.workspace_id,
        profiles.cio_id,
        people.cio_id is not null as is_listed,
        coalesce(people.is_deleted, false) as is_deleted,
        coalesce(people.is_suppressed, false) as is_suppressed,
        people.cio_id is not null
        and not people.is_deleted
        and not people.is_suppressed as is_live,
        profiles.created_at,
        least(
            coalesce(profiles.created_at, profiles.first_seen_at),
            coalesce(profiles.first_seen_at, profiles.created_at)
        ) as first_seen_at,
        people.updated_at as stated_at,
        profiles.learned_at
    from profiles
    left join people
        on
            profiles.workspace_id = people.workspace_id
            and profiles.cio_id = people.cio_id
)

select * from stated
