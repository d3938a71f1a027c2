-- The quiet people of one kind who may be written to, and what the experiment on such people says that a
-- message to each is worth beyond its cost.
with

homes as (
    select
        person_id,
        min(workspace_id) as workspace_id
    from {int_identity__profiles}
    group by person_id
),

quiet as (
    select
        states.person_id,
        count(*) filter (order_values.is_order) as count_orders,
        sum(order_values.order_value) as lifetime_value
    from {dim_person_states} as states
    inner join homes on states.person_id = homes.person_id
    inner join {int_segments__order_values} as order_values on states.person_id = order_values.person_id
    where
        homes.workspace_id is not distinct from $workspace_id
        and states.lifecycle_stage = $lifecycle_stage
        and states.ltv_tier is not distinct from $ltv_tier
        and states.intent_tier is not distinct from $intent_tier
        and states.subscription_status = 'subscribed'
    group by states.person_id
),

bands as (
    select
        unnest(map_keys($insight_frequency_bands)) as band,
        unnest(map_values($insight_frequency_bands)) as most,
        unnest(range(len(map_keys($insight_frequency_bands)))) as place
),

-- the first band whose most orders are not passed; the last has no limit
banded as (
    select
        quiet.*,
        bands.band
    from quiet
    inner join bands on quiet.count_orders <= coalesce(bands.most, quiet.count_orders)
    where quiet.count_orders > 0
    qualify row_number() over (partition by quiet.person_id order by bands.place) = 1
),

people as (
    select
        count(*) as count_persons,
        cast(sum(lifetime_value) as double) / sum(count_orders) as average_order_value
    from banded
    where band = $frequency_band
),

declared as (
    select
        experiments.primary_metric,
        metrics.aggregation
    from {experiments} as experiments
    inner join {metrics} as metrics on experiments.primary_metric = metrics.metric_key
    where experiments.experiment_key = $experiment_key
),

spent as (
    select
        case
            when count(deliveries.delivery_id) = count(channel_costs.cost_per_message)
                then
                    coalesce(cast(sum(channel_costs.cost_per_message) as double), 0)
                    / nullif(count(distinct cohorts.person_id), 0)
        end as cost_per_person
    from {int_insight__cohorts} as cohorts
    left join {int_journeys__deliveries} as deliveries
        on
            cohorts.person_id = deliveries.person_id
            and cohorts.journey_id = deliveries.journey_id
            and deliveries.exposure_kind = 'real'
            and cohorts.starts_at <= deliveries.exposed_at
            and cohorts.ends_at > deliveries.exposed_at
    left join {channel_costs} as channel_costs on deliveries.channel = channel_costs.channel
    where
        cohorts.experiment_key = $experiment_key
        and cohorts.arm = $arm
),

evidence as (
    select
        lift.*,
        declared.aggregation
    from {fct_lift} as lift
    inner join declared on lift.metric_key = declared.primary_metric
    where
        lift.experiment_key = $experiment_key
        and lift.arm = $arm
        and lift.population = 'itt'
        and lift.stratum = 'intent_tier=' || $intent_tier
),

worth as (
    select
        people.*,
        evidence.count_treatment,
        evidence.count_control,
        spent.cost_per_person,
        evidence.lift,
        evidence.lift_low,
        evidence.lift_high,
        $insight_margin_share
        * case when evidence.aggregation = 'sum' then 1 else people.average_order_value end as margin_of_lift
    from people
    left join evidence on true
    left join spent on $experiment_key is not null
)

select
    count_persons as count_rows,
    count_persons,
    cost_per_person,
    lift * margin_of_lift - cost_per_person as net_margin,
    lift_low * margin_of_lift - cost_per_person as net_margin_low,
    lift_high * margin_of_lift - cost_per_person as net_margin_high,
    (
        select count(*) + 1
        from {fct_reactivation_triage} as rest
        where
            rest.workspace_id is not distinct from $workspace_id
            and (
                rest.net_margin_low is null, -coalesce(rest.net_margin_low, 0), -rest.count_persons,
                rest.lifecycle_stage, rest.frequency_band, rest.ltv_tier, rest.intent_tier,
                coalesce(rest.experiment_key, '~'), coalesce(rest.arm, '~')
            ) < (
                $net_margin_low is null, -coalesce($net_margin_low, 0), -$count_persons,
                $lifecycle_stage, $frequency_band, $ltv_tier, $intent_tier,
                coalesce($experiment_key, '~'), coalesce($arm, '~')
            )
    ) as triage_rank,
    {more}
from worth
