with

persons as (
    select * from {{ ref("dim_persons") }}
),

candidates as (
    select * from {{ ref("int_identity__candidates") }}
),

heap_users as (
    select * from {{ ref("stg_heap__users") }}
),

-- Whom Heap knows under something else than what we would publish.
emails_in_heap as (
    select
        {{ lowered("email") }} as email,
        max(case when {{ lowered("heap_identity") }} <> {{ lowered("email") }} then 1 else 0 end) = 1
            as has_other_identity
    from heap_users
    where email is not null
    group by {{ lowered("email") }}
),

emails_as_identity as (
    select person_id
    from candidates
    where
        identifier_type = 'email'
        and is_known_to_heap
),

customer_ids_as_identity as (
    select person_id
    from candidates
    where
        identifier_type = 'customer_id'
        and is_known_to_heap
),

named as (
    select
        persons.workspace_id,
        persons.person_id,
        case
            when persons.match_status in ('suppressed', 'deleted') then persons.match_status
            when persons.match_status = 'ambiguous' and persons.heap_identity is null
                then 'only a shared mailbox or id'
            when persons.match_status = 'ambiguous' then 'two persons under one Heap identity'
            when persons.match_status = 'anonymous' then 'no identifier'
            when persons.heap_identity is null then 'identifier too long for Heap'
            when persons.match_status = 'matched' then 'known in Heap'
            when persons.match_status = 'unverified'
                then persons.heap_identity_source || ' here, Heap not asked'
            when persons.heap_identity_source = 'customer_id' and emails_as_identity.person_id is not null
                then 'user id here, email there'
            when
                persons.heap_identity_source = 'email'
                and (
                    customer_ids_as_identity.person_id is not null
                    or coalesce(emails_in_heap.has_other_identity, false)
                )
                then 'email here, user id there'
            when emails_in_heap.has_other_identity then 'user id here, another user id there'
            when persons.is_known_in_heap is not null and known_by_calls.person_id is not null
                then 'in Heap only through server calls'
            else persons.heap_identity_source || ' here, nothing there'
        end as population
    from persons
    left join emails_in_heap
        on persons.email = emails_in_heap.email
    left join emails_as_identity
        on persons.person_id = emails_as_identity.person_id
    left join customer_ids_as_identity
        on persons.person_id = customer_ids_as_identity.person_id
    left join candidates as known_by_calls
        on
            persons.person_id = known_by_calls.person_id
            and persons.heap_identity_source = known_by_calls.identifier_type
            and known_by_calls.is_known_to_heap
),

counted as (
    select
        workspace_id,
        population,
        count(*) as count_persons,
        population in ('known in Heap', 'deleted', 'suppressed')
        or population like '%Heap not asked' as is_met
    from named
    group by workspace_id, population
)

select * from counted
