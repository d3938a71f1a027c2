with leaving as (
    {leaving}
)

select
    workspace_id::bigint as workspace_id,
    subject_name,
    cio_id as internal_customer_id,
    campaign_type,
    campaign_id::{number} as campaign_id,
    {trigger_event} as event_id,
    trigger_id::bigint as trigger_id,
    entered_at::{clock} as started_campaign_at,
    entered_at::{clock} as created_at,
    sequence_number(entered_at, again) as seq_num
from leaving
inner join appearing using (workspace_id, i, slot)
order by seq_num, subject_name
