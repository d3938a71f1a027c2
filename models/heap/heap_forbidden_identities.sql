-- A person who may not be told is out under every identifier they hold now, unless somebody who may be
-- told goes by it.
with

persons as (
    select * from {{ ref("dim_persons") }}
),

identifiers as (
    select * from {{ ref("map_identifiers") }}
    where
        identifier_type in ('heap_identity', 'customer_id', 'email')
        and valid_to is null
),

refused_persons as (
    select * from persons
    where not is_publishable
),

held as (
    select
        person_id,
        'heap_identity' as identifier_type,
        heap_identity as identifier
    from refused_persons
    union all
    select
        person_id,
        'customer_id' as identifier_type,
        customer_id as identifier
    from refused_persons
    union all
    select
        person_id,
        'email' as identifier_type,
        email as identifier
    from refused_persons
    union all
    select
        refused_persons.person_id,
        identifiers.identifier_type,
        identifiers.identifier
    from refused_persons
    inner join identifiers
        on refused_persons.person_id = identifiers.person_id
),

forbidden as (
    select distinct
        held.person_id,
        held.identifier_type,
        held.identifier
    from held
    left join persons as told_persons
        on
            held.identifier = told_persons.heap_identity
            and told_persons.is_publishable
    where
        held.identifier is not null
        and told_persons.person_id is null
)

select * from forbidden
