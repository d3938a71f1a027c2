-- The messages of one kind and week of a journey, counted from its deliveries.
select
    count(*) as count_rows,
    count(*) as count_messages
from {fct_message_exposures}
where
    workspace_id = $workspace_id
    and journey_id = $journey_id
    and message_type not in ('newsletter', 'transactional')
    and exposure_kind = $exposure_kind
    and coalesce(sent_at, delivered_at, created_at) >= $as_of - interval (7 * $weeks_ago) day
    and coalesce(sent_at, delivered_at, created_at) < $as_of - interval (7 * ($weeks_ago - 1)) day
