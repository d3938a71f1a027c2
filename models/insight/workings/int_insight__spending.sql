-- What was sent to the people of an arm in their window by its own journey, and what that cost. A channel
-- whose cost nobody declared is not free.
with

cohorts as (
    select * from {{ ref("int_insight__cohorts") }}
    where experiment_key is not null
),

deliveries as (
    select * from {{ ref("int_journeys__deliveries") }}
    where exposure_kind = 'real'
),

channel_costs as (
    select * from {{ ref("channel_costs") }}
),

counted as (
    select
        cohorts.experiment_key,
        cohorts.arm,
        deliveries.message_id,
        deliveries.channel,
        count(*) as count_messages,
        sum(case when channel_costs.cost_per_message is null then 1 else 0 end) as count_unpriced,
        cast(sum(channel_costs.cost_per_message) as double) as spending
    from cohorts
    inner join deliveries
        on
            cohorts.person_id = deliveries.person_id
            and cohorts.journey_id = deliveries.journey_id
            and (
                cohorts.workspace_id is null
                or cohorts.workspace_id = deliveries.workspace_id
            )
            and cohorts.starts_at <= deliveries.exposed_at
            and cohorts.ends_at > deliveries.exposed_at
    left join channel_costs
        on deliveries.channel = channel_costs.channel
    group by cohorts.experiment_key, cohorts.arm, deliveries.message_id, deliveries.channel
)

select * from counted
