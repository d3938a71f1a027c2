-- The deliveries of a newsletter or transactional message.
select
    exposure_kind,
    human_clicked_at,
    minutes_since_trigger,
    created_at,
    sent_at,
    delivered_at
from {fct_message_exposures}
where
    workspace_id is not distinct from $workspace_id
    and message_type is not distinct from $message_type
    and message_id is not distinct from $message_id
    and (journey_id is null or message_type in ('newsletter', 'transactional'))
