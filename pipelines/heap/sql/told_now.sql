-- The rows of an event mart that Heap was told, under the identity they were told of.
select
    {number} as model,
    mart.publish_key,
    receipts.heap_identity,
    mart.heap_identity as identity_now,
    {happened_at} as occurred_at,
    0 as place
from {mart} as mart
inner join told_events as receipts
    on mart.publish_key = receipts.publish_key
