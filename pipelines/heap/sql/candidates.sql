-- The rows of an event mart that Heap has not heard of under this identity. A row that the verdict of
-- dim_persons or the shape of an event forbids is a stray: the mart should have left it out.
insert into candidates
select
    {number} as model,
    mart.publish_key,
    coalesce(uncertain.heap_identity, mart.heap_identity) as heap_identity,
    {happened_at} as occurred_at,
    known_receipts.publish_key is not null as is_moved,
    case
        when known_receipts.publish_key is not null then null
        when mart.publish_key is null or length(mart.publish_key) not between {shortest} and {longest}
            then 'the publish key is missing, too short or too long'
        when persons.person_id is null then 'no person can be resolved'
        when persons.refusal_reason is not null then persons.refusal_reason
        when not coalesce(persons.is_publishable, false) then 'not publishable'
        when mart.heap_identity is null then 'no identity'
        when mart.heap_identity <> coalesce(persons.heap_identity, '')
            then 'the identity is not that of its person'
        when {happened_at} is null then 'no timestamp'
        when not isfinite({happened_at}) or year({happened_at}) not between 1970 and 9998
            then 'the timestamp is out of range'
        when {happened_at} > {as_of} then 'the timestamp is in the future'
        when {happened_at} >= {embargo_from} then 'embargo'
        else {value_fault}
    end as stray,
    {values_cut} as count_cut
from {mart} as mart
left join {persons} as persons
    on cast(mart.person_id as varchar) = cast(persons.person_id as varchar)
left join known_receipts
    on mart.publish_key = known_receipts.publish_key
left join uncertain
    on mart.publish_key = uncertain.publish_key
where
    known_receipts.publish_key is null
    or known_receipts.heap_identity is distinct from mart.heap_identity
