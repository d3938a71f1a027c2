-- Whom the plan would tell of, and whom of them Heap does not know yet.
create or replace temp table told_identities as
select distinct
    model,
    heap_identity
from planned
union all
select
    -1 as model,
    heap_identity
from user_rows
where verdict is null;

create or replace temp table new_identities as
with

known as (
    select heap_identity from known_receipts
    union all
    select heap_identity from known_properties
    union all
    select heap_identity from {persons}
    where not is_new_to_heap
)

select
    told_identities.model,
    told_identities.heap_identity
from told_identities
anti join known
    on told_identities.heap_identity = known.heap_identity
