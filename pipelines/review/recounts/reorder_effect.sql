-- Whether a reminder moved the reorders of a category (log-rank): on each day at which somebody of either
-- arm reordered, who of them were still waiting.
with

bought as (
    select
        cohorts.person_id,
        cohorts.arm,
        cohorts.allocation_version,
        cohorts.starts_at,
        min(events.occurred_at) filter (events.occurred_at >= cohorts.starts_at) as reordered_at
    from {int_insight__cohorts} as cohorts
    inner join {int_identity__behavior_events} as events on cohorts.person_id = events.person_id
    where
        cohorts.experiment_key = $experiment_key
        and cohorts.arm in ($arm, $control_arm)
        and events.behavior = 'order_placed'
        and lower(trim(events.category)) = $category
    group by all
    having min(events.occurred_at) < cohorts.starts_at
),

waiting as (
    select
        allocation_version,
        arm = $arm as is_treated,
        reordered_at is not null as is_reordered,
        date_diff('day', starts_at, coalesce(reordered_at, $as_of)) as wait_days
    from bought
),

reorders as (
    select
        allocation_version,
        wait_days,
        count(*) as count_reorders
    from waiting
    where is_reordered
    group by allocation_version, wait_days
),

at_risk as (
    select
        reorders.count_reorders as reordered,
        count(*) as count_waiting,
        count(*) filter (waiting.is_treated) / count(*) as share
    from reorders
    inner join waiting
        on
            reorders.allocation_version = waiting.allocation_version
            and reorders.wait_days <= waiting.wait_days
    group by reorders.allocation_version, reorders.wait_days, reorders.count_reorders
),

expected as (
    select
        coalesce(fsum(reordered * share), 0) as expected,
        fsum(
            reordered * share * (1 - share) * (count_waiting - reordered) / nullif(count_waiting - 1, 0)
        ) as variance
    from at_risk
),

counted as (
    select
        count(*) as count_rows,
        count(*) filter (is_treated) as count_treatment,
        count(*) filter (not is_treated) as count_control,
        count(*) filter (is_treated and is_reordered) as count_reorders_treatment,
        count(*) filter (not is_treated and is_reordered) as count_reorders_control
    from waiting
)

-- what may not be shown is not counted again either
select
    counted.*,
    expected.expected as expected_reorders_treatment,
    case
        when $logrank_z is not null
            then (counted.count_reorders_treatment - expected.expected) / sqrt(expected.variance)
    end as logrank_z
from counted
cross join expected
