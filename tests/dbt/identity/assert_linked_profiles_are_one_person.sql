-- Evidence holds: the two ends of every link are the same person.
with

links as (
    select * from {{ ref("fct_identity_links") }}
),

profiles as (
    select * from {{ ref("int_identity__profiles") }}
)

select
    links.workspace_id,
    links.left_cio_id,
    links.right_cio_id
from links
inner join profiles
    on
        links.workspace_id = profiles.workspace_id
        and links.right_cio_id = profiles.cio_id
where links.person_id <> profiles.person_id
