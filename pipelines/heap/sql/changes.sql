-- Of one property, only the values that Heap does not hold yet.
create or replace temp view told as
select
    mart.heap_identity,
    {sent_text} as sent
from {mart} as mart;

insert into changes
select
    told.heap_identity,
    {name} as property,
    {sent_json} as json,
    false as is_leaver
from told
left join known_properties
    on
        told.heap_identity = known_properties.heap_identity
        and known_properties.property = {name}
where
    told.sent is not null
    and known_properties.value_hash is distinct from {sent_hash}
