with leaving as (
    {leaving}
)

select
    event_id,
    workspace_id::bigint as workspace_id,
    delivery_id,
    metric,
    reason,
    link_id::bigint as link_id,
    if(link_id is null, null, concat('https://shop.example.com/l/', link_id)) as link_url,
    occurred_at::{clock} as created_at,
    sequence_number(occurred_at, again) as seq_num,
    {flags}
from leaving
order by seq_num, event_id
