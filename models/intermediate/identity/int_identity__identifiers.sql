with

profiles as (
    select * from {{ ref("int_identity__profiles") }}
),

people as (
    select * from {{ ref("stg_customerio__people") }}
),

held as (
    select
        people.workspace_id,
        'customer_id' as identifier_type,
        people.customer_id as identifier,
        min(profiles.person_id) as person_id
    from people
    inner join profiles
        on
            people.workspace_id = profiles.workspace_id
            and people.cio_id = profiles.cio_id
    where people.customer_id is not null
    group by people.workspace_id, people.customer_id
    union all
    select
        people.workspace_id,
        'email' as identifier_type,
        lower(people.email) as identifier,
        min(profiles.person_id) as person_id
    from people
    inner join profiles
        on
            people.workspace_id = profiles.workspace_id
            and people.cio_id = profiles.cio_id
    where people.email is not null
    group by people.workspace_id, lower(people.email)
    union all
    select
        workspace_id,
        'cio_id' as identifier_type,
        cio_id as identifier,
        person_id
    from profiles
),

dated as (
    select
        workspace_id,
        identifier_type,
        identifier,
        person_id,
        {{ epoch() }} as valid_from,
        cast(null as timestamp) as valid_to,
        'profile' as evidence
    from held
)

select * from dated
