-- A step of the checkout, counted from each person's own; allocation versions are weighed, never pooled.
with

people as (
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
),

counted as (
    select
        count(*) as count_rows,
        count(*) as count_units,
        sum(is_counted) as count_persons,
        count(*) filter (drop_off_step = $step) as count_dropped
    from people
    where arm is not distinct from $arm
),

versions as (
    select
        allocation_version,
        count(*) as count_units,
        count(*) filter (arm is not distinct from $arm) as count_of_arm,
        count(*) filter (arm = $control_arm) as count_of_control,
        avg(is_counted) filter (arm is not distinct from $arm) as rate_of_arm,
        avg(is_counted) filter (arm = $control_arm) as rate_of_control
    from people
    group by allocation_version
),

weighed as (
    select
        *,
        case when count_of_arm > 0 and count_of_control > 0 then count_units end as weight
    from versions
),

rated as (
    select
        coalesce(
            sum(weight * rate_of_arm) / sum(weight),
            sum(count_of_arm * rate_of_arm) / nullif(sum(count_of_arm), 0)
        ) as rate,
        coalesce(
            sum(weight * rate_of_control) / sum(weight),
            sum(count_of_control * rate_of_control) / nullif(sum(count_of_control), 0)
        ) as rate_control
    from weighed
)

-- what may not be shown is not counted again either
select
    counted.*,
    rated.rate,
    rated.rate_control,
    case when $difference is not null then rated.rate - rated.rate_control end as difference
from counted
cross join rated
