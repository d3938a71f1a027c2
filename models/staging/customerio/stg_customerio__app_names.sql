with

app_names as (
    select * from {{ source("customerio", "app_names") }}
),

typed as (
    select
        workspace_id,
        {{ lowered(trimmed("kind")) }} as kind,
        thing_id,
        {{ not_blank("name") }} as thing_name,
        coalesce(updated_at, {{ epoch() }}) as updated_at
    from app_names
    where
        workspace_id is not null
        and thing_id is not null
),

ranked as (
    select
        *,
        row_number() over (
            partition by workspace_id, kind, thing_id
            order by updated_at desc, thing_name asc
        ) as version_rank
    from typed
    where
        thing_name is not null
        and updated_at < {{ as_of() }}
),

latest as (
    select
        workspace_id,
        kind,
        thing_id,
        thing_name,
        updated_at
    from ranked
    where version_rank = 1
)

select * from latest
