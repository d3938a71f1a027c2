-- What a tool would credit a journey with, and what Customer.io claims, counted from orders and deliveries.
with

credited as (
    select
        count(distinct case when credits.credit_kind = 'last_click' then cohorts.person_id end)
            as count_by_click,
        count(distinct case when credits.credit_kind = 'last_exposure' then cohorts.person_id end)
            as count_by_exposure
    from {int_insight__cohorts} as cohorts
    inner join {int_insight__order_credits} as credits
        on
            cohorts.person_id = credits.person_id
            and cohorts.journey_id = credits.journey_id
            and cohorts.starts_at <= credits.ordered_at
            and cohorts.ends_at > credits.ordered_at
    where
        credits.is_order
        and cohorts.experiment_key = $experiment_key
        and cohorts.arm = $arm
        and credits.workspace_id = $workspace_id
),

-- what its experiment says of the same people, on the primary metric
caused as (
    select lift.*
    from {fct_lift} as lift
    inner join {experiments} as experiments
        on
            lift.experiment_key = experiments.experiment_key
            and lift.metric_key = experiments.primary_metric
    where
        lift.experiment_key = $experiment_key
        and lift.arm = $arm
        and lift.population = 'itt'
        and lift.stratum = 'all'
)

select
    count(*) as count_rows,
    (select count_treatment from caused) as count_treatment,
    (select count_control from caused) as count_control,
    (select mean_treatment from caused) as mean_treatment,
    (select mean_control from caused) as mean_control,
    (select lift from caused) as lift,
    (select incremental from caused) as incremental,
    count(*) filter (credit_kind = 'last_click' and is_order) as count_last_click_orders,
    count(*) filter (credit_kind = 'last_exposure' and is_order) as count_last_exposure_orders,
    coalesce(sum(order_value) filter (credit_kind = 'last_click'), 0) as last_click_value,
    coalesce(sum(order_value) filter (credit_kind = 'last_exposure'), 0) as last_exposure_value,
    (
        select count(*)
        from {fct_journey_entries}
        where workspace_id = $workspace_id and journey_id = $journey_id
    ) as count_entries,
    (
        select count(distinct person_id)
        from {fct_journey_entries}
        where workspace_id = $workspace_id and journey_id = $journey_id
    ) as count_persons,
    (
        select count(*)
        from {fct_message_exposures}
        where
            workspace_id = $workspace_id
            and journey_id = $journey_id
            and exposure_kind = 'real'
            and converted_at is not null
    ) as count_claimed_conversions,
    case when $arm is not null then (select count_by_click from credited) end as count_last_click_units,
    case when $arm is not null then (select count_by_exposure from credited) end as count_last_exposure_units
from {int_insight__order_credits}
where
    workspace_id = $workspace_id
    and journey_id = $journey_id
