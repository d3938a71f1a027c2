-- Whoever was told `true` and is in no longer, or whose version retired: `false`, once.
insert into changes
select
    heap_identity,
    property,
    '"false"' as json,
    true as is_leaver
from known_properties
where
    is_true
    and property = {name}
    and heap_identity not in ({holders})
