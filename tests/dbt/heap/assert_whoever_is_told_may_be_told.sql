-- A row in a Heap mart is about a person who may be told, under that person's own Heap identity.
with

told as (
    {% for mart in heap_told(heap_events()) %}
    select
        '{{ mart }}' as mart,
        person_id,
        heap_identity
    from {{ ref(mart) }}
    {{ "union all" if not loop.last }}
    {% endfor %}
),

persons as (
    select * from {{ ref("dim_persons") }}
),

held_persons as (
    select person_id from {{ ref("heap_persons") }}
    where is_held
),

forbidden_identities as (
    select distinct identifier from {{ ref("heap_forbidden_identities") }}
)

select
    told.mart,
    told.person_id
from told
left join persons
    on told.person_id = persons.person_id
left join held_persons
    on told.person_id = held_persons.person_id
left join forbidden_identities
    on told.heap_identity = forbidden_identities.identifier
where
    persons.person_id is null
    or not persons.is_publishable
    or persons.match_status in ('deleted', 'suppressed', 'anonymous', 'ambiguous')
    or held_persons.person_id is not null
    or persons.heap_identity <> told.heap_identity
    or forbidden_identities.identifier is not null
