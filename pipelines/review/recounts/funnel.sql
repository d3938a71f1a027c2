-- The checkout of each person of an arm and of its control: whether they reached a step.
select
    arm,
    allocation_version,
    drop_off_step,
    case
        when
            case $step
                when 'checkout_started' then checkout_started_at
                when 'shipping_viewed' then shipping_viewed_at
                when 'payment_viewed' then payment_viewed_at
                when 'order_placed' then order_placed_at
            end is not null
            then 1
        else 0
    end as is_counted
from {int_insight__funnels}
where
    cohort_key = coalesce(
        'experiment:' || $experiment_key, 'journey:' || $workspace_id || ':' || $journey_id
    )
    and (arm is not distinct from $arm or arm = $control_arm)
