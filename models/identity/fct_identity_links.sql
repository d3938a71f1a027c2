with

links as (
    select * from {{ ref("int_identity__links") }}
),

profiles as (
    select * from {{ ref("int_identity__profiles") }}
),

explained as (
    select
        links.workspace_id,
        profiles.person_id,
        links.left_cio_id,
        links.right_cio_id,
        links.evidence,
        links.identifier_type,
        links.identifier,
        links.linked_at,
        links.learned_at
    from links
    inner join profiles
        on
            links.workspace_id = profiles.workspace_id
            and links.left_cio_id = profiles.cio_id
)

select * from explained
