select
    count(*) as count_rows,
    count(*) as count_units,
    count(
        case $step
            when 'checkout_started' then checkout_started_at
            when 'shipping_viewed' then shipping_viewed_at
            when 'payment_viewed' then payment_viewed_at
            when 'order_placed' then order_placed_at
        end
    ) as count_persons,
    count(case when drop_off_step = $step then 1 end) as count_dropped
from {int_insight__funnels}
where
    cohort_key = coalesce(
        'experiment:' || $experiment_key, 'journey:' || $workspace_id || ':' || $journey_id
    )
    and arm is not distinct from $arm
