-- One reason why messages of a journey were not shown, counted from its deliveries.
with

deliveries as (
    select
        *,
        coalesce(sent_at, delivered_at, created_at) as told_at,
        exposure_kind = 'real' and human_clicked_at is not null as is_clicked
    from {fct_message_exposures}
    where
        workspace_id = $workspace_id
        and journey_id = $journey_id
        and message_type not in ('newsletter', 'transactional')
        and exposure_kind = 'none'
        and not_exposed_reason is not distinct from $not_exposed_reason
),

placed as (
    select
        *,
        told_at >= $as_of - interval 7 day as is_week,
        told_at < $as_of - interval 7 day and told_at >= $as_of - interval 14 day as is_previous_week
    from deliveries
)

select
    count(*) as count_rows,
    count(*) as count_ever,
    count(*) filter (is_week) as count_week,
    count(*) filter (is_previous_week) as count_previous_week
from placed
