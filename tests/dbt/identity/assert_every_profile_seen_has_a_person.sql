-- Nothing is inner-joined to people: a profile that only a delivery or a journey knows is somebody too.
with

seen as (
    select
        workspace_id,
        cio_id
    from {{ ref("stg_customerio__deliveries") }}
    where cio_id is not null
    union
    select
        workspace_id,
        cio_id
    from {{ ref("stg_customerio__subjects") }}
    where cio_id is not null
    union
    select
        workspace_id,
        cio_id
    from {{ ref("stg_customerio__people") }}
),

profiles as (
    select * from {{ ref("int_identity__profiles") }}
)

select
    seen.workspace_id,
    seen.cio_id
from seen
left join profiles
    on
        seen.workspace_id = profiles.workspace_id
        and seen.cio_id = profiles.cio_id
where profiles.cio_id is null
