-- The identities of a mart of user properties, and why one may not stand there.
insert into held_identities
select
    {number} as model,
    mart.heap_identity,
    case
        when persons.person_id is null then 'no person can be resolved'
        when persons.refusal_reason is not null then persons.refusal_reason
        when not coalesce(persons.is_publishable, false) then 'not publishable'
        when mart.heap_identity is null then 'no identity'
        when mart.heap_identity <> coalesce(persons.heap_identity, '')
            then 'the identity is not that of its person'
        when count(*) over (partition by mart.heap_identity) > 1
            then 'the identity is held by several persons'
        else {value_fault}
    end as stray,
    {values_cut} as count_cut
from {mart} as mart
left join {persons} as persons
    on cast(mart.person_id as varchar) = cast(persons.person_id as varchar)
