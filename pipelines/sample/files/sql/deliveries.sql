with leaving as (
    {leaving}
)

select
    workspace_id::bigint as workspace_id,
    delivery_id,
    cio_id as internal_customer_id,
    case when subject_key is not null then ulid(subject_key) end as subject_id,
    {trigger_event} as event_id,
    channel as delivery_type,
    campaign_id::{number} as campaign_id,
    action_id::{number} as action_id,
    newsletter_id::bigint as newsletter_id,
    content_id::bigint as content_id,
    case when campaign_id = {broadcast} then if(created_at < at_day(60), 1, 2) end::bigint
        as trigger_id,
    transactional_message_id::bigint as transactional_message_id,
    created_at::{clock} as created_at,
    sequence_number(created_at, again) as seq_num
from leaving
inner join appearing using (workspace_id, i, slot)
order by seq_num, delivery_id
