-- Nobody is merged without evidence: a person of several profiles has a link at every one of them.
with

links as (
    select * from {{ ref("fct_identity_links") }}
),

profiles as (
    select * from {{ ref("int_identity__profiles") }}
),

linked as (
    select
        workspace_id,
        left_cio_id as cio_id
    from links
    union
    select
        workspace_id,
        right_cio_id as cio_id
    from links
),

several as (
    select person_id
    from profiles
    group by person_id
    having count(*) > 1
)

select
    profiles.workspace_id,
    profiles.cio_id
from profiles
inner join several
    on profiles.person_id = several.person_id
left join linked
    on
        profiles.workspace_id = linked.workspace_id
        and profiles.cio_id = linked.cio_id
where linked.cio_id is null
