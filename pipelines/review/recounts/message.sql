-- The deliveries of one message of a journey.
select
    exposure_kind,
    human_clicked_at,
    minutes_since_trigger,
    created_at,
    sent_at,
    delivered_at
from {fct_message_exposures}
where
    workspace_id = $workspace_id
    and journey_id = $journey_id
    and message_type not in ('newsletter', 'transactional')
    and message_id is not distinct from $message_id
