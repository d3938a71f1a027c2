-- No placeholder and nothing with blanks round it is an identity that Heap may be told.
with

persons as (
    select * from {{ ref("dim_persons") }}
    where is_publishable
),

rules as (
    select * from {{ ref("int_identity__rules") }}
)

select persons.person_id
from persons
left join rules
    on
        persons.workspace_id = rules.workspace_id
        and persons.heap_identity_source = rules.identifier_type
where
    rules.identifier_type is null
    or {{ is_placeholder("persons.heap_identity") }}
    or {{ trimmed("persons.heap_identity") }} <> persons.heap_identity
