-- What a message brings beyond its cost, from the deliveries to the people of its arm in their window and
-- from what their holdout says; each of several messages has the mean of its arm.
with

sent as (
    select
        deliveries.message_id,
        deliveries.channel,
        channel_costs.cost_per_message
    from {int_journeys__deliveries} as deliveries
    inner join {int_insight__cohorts} as cohorts
        on
            deliveries.person_id = cohorts.person_id
            and deliveries.journey_id = cohorts.journey_id
            and deliveries.workspace_id = coalesce(cohorts.workspace_id, deliveries.workspace_id)
            and deliveries.exposed_at >= cohorts.starts_at
            and deliveries.exposed_at < cohorts.ends_at
    left join {channel_costs} as channel_costs on deliveries.channel = channel_costs.channel
    where
        deliveries.exposure_kind = 'real'
        and cohorts.experiment_key = $experiment_key
        and cohorts.arm = $arm
),

spent as (
    select
        count(*) as count_of_arm,
        count(*) filter (
            message_id is not distinct from $message_id and channel is not distinct from $channel
        ) as count_messages,
        cast(sum(cost_per_message) filter (
            message_id is not distinct from $message_id and channel is not distinct from $channel
        ) as double) as spending_of_message,
        count(*) filter (
            cost_per_message is null
            and message_id is not distinct from $message_id
            and channel is not distinct from $channel
        ) as count_unpriced_of_message,
        case when count(*) = count(cost_per_message) then cast(sum(cost_per_message) as double) end
            as spending_of_arm
    from sent
),

-- the first metric of each kind that tells of orders
told as (
    select
        metrics.aggregation,
        lift.*
    from {fct_lift} as lift
    inner join {metrics} as metrics on lift.metric_key = metrics.metric_key
    where
        lift.experiment_key = $experiment_key
        and lift.arm = $arm
        and lift.population = 'itt'
        and lift.stratum = 'all'
        and metrics.behavior = 'order_placed'
        and metrics.aggregation in ('any', 'sum')
    qualify row_number() over (partition by metrics.aggregation order by lift.metric_key) = 1
),

kinds as (
    select
        max(count_treatment) filter (aggregation = 'any') as count_treatment,
        max(count_control) filter (aggregation = 'any') as count_control,
        sum(mean_treatment * count_treatment + mean_control * count_control) filter (aggregation = 'any')
            as of_orders,
        sum(mean_treatment * count_treatment + mean_control * count_control) filter (aggregation = 'sum')
            as of_money,
        count(lift_low) filter (aggregation = 'sum') = 1 as is_money
    from told
),

-- money by itself, or orders at what one was worth
margins as (
    select
        coalesce(kinds.count_treatment, 0) as count_treatment,
        coalesce(kinds.count_control, 0) as count_control,
        $insight_margin_share
        * case when kinds.is_money then 1 else kinds.of_money / kinds.of_orders end as worth,
        told.lift,
        told.lift_low,
        told.lift_high
    from kinds
    left join told on told.aggregation = case when kinds.is_money then 'sum' else 'any' end
),

joined as (
    select
        *,
        lift * worth * count_treatment as margin,
        lift_low * worth * count_treatment as margin_low,
        lift_high * worth * count_treatment as margin_high
    from margins
    cross join spent
),

sized as (
    select
        *,
        case
            when $verdict = 'holdout too thin' and margin <> spending_of_arm
                then ceil(
                    (count_treatment + count_control)
                    * (
                        case
                            when margin > spending_of_arm then margin - margin_low
                            else margin_high - margin
                        end / (margin - spending_of_arm)
                    ) ^ 2
                )
        end as count_needed
    from joined
)

select
    count_messages as count_rows,
    count_treatment,
    count_control,
    count_messages,
    case when count_unpriced_of_message = 0 then spending_of_message end as spending,
    margin / count_of_arm as margin_per_message,
    margin_low / count_of_arm as margin_per_message_low,
    margin_high / count_of_arm as margin_per_message_high,
    margin / nullif(spending_of_arm, 0) as margin_per_cost,
    margin_low / nullif(spending_of_arm, 0) as margin_per_cost_low,
    margin_high / nullif(spending_of_arm, 0) as margin_per_cost_high,
    (margin - spending_of_arm) / count_of_arm as net_per_message,
    (margin_low - spending_of_arm) / count_of_arm as net_per_message_low,
    (margin_high - spending_of_arm) / count_of_arm as net_per_message_high,
    $insight_budget_step * margin / nullif(spending_of_arm, 0) as margin_of_step,
    $insight_budget_step * margin_low / nullif(spending_of_arm, 0) as margin_of_step_low,
    $insight_budget_step * margin_high / nullif(spending_of_arm, 0) as margin_of_step_high,
    spending_of_arm / count_treatment * count_control as cost_of_held_out,
    lift * worth * count_control as margin_of_held_out,
    lift_low * worth * count_control as margin_of_held_out_low,
    lift_high * worth * count_control as margin_of_held_out_high,
    count_needed,
    ceil(
        (count_needed - count_treatment - count_control)
        / (
            select
                count(*) * 7
                / greatest(7, date_diff('day', min(starts_at), max(starts_at)))
            from {int_insight__cohorts}
            where experiment_key = $experiment_key
        )
    ) as count_weeks,
    (
        select 1 + count(distinct concat(experiment_key, '/', arm))
        from {fct_message_value}
        where
            net_per_message > (margin - spending_of_arm) / count_of_arm + 1e-9
            or (net_per_message is not null and (margin - spending_of_arm) / count_of_arm is null)
            or (
                (
                    abs(net_per_message - (margin - spending_of_arm) / count_of_arm) <= 1e-9
                    or (net_per_message is null and (margin - spending_of_arm) / count_of_arm is null)
                )
                and (experiment_key, arm) < ($experiment_key, $arm)
            )
    ) as place
from sized
