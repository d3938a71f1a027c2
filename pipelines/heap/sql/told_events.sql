-- The events that Heap was told, without what was said of them.
create or replace temp view told_events as
select
    publish_key,
    heap_identity,
    event,
    acknowledged_at,
    plan_id
from receipts
where
    target = (select asked.target from asked)
    and kind = 'event'
