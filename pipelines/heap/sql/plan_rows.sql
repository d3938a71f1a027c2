-- Rows of a plan's file, as far as they are not settled, by what the ledger calls them.
insert into plan_rows
with

lines as (
    select unnest(cast($lines as varchar[])) as line
)

select
    coalesce(json_extract_string(line, '$.idempotency_key'), {user_key}) as row_key,
    json_extract_string(line, '$.event') as event_name,
    json_extract_string(line, '$.identity') as heap_identity,
    json_extract_string(line, '$.properties.delivery_id') as delivery_id,
    md5(line) as digest
from lines
