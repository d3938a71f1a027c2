{%- set declared = var("insight_reactivation_experiments") %}
-- What a reactivation message adds, by intent tier, from the experiments that were run on people who
-- had gone quiet. A lift learned on shoppers with a full cart says nothing about them.
with

arms as (
    select * from {{ ref("int_experiments__arms") }}
),

cohorts as (
    select * from {{ ref("int_insight__cohorts") }}
),

lifecycle_stages as (
    select * from {{ ref("fct_lifecycle_stages") }}
),

deliveries as (
    select * from {{ ref("int_journeys__deliveries") }}
),

channel_costs as (
    select * from {{ ref("channel_costs") }}
),

metrics as (
    select * from {{ ref("metrics") }}
),

lift as (
    select * from {{ ref("fct_lift") }}
),

staged as (
    select
        cohorts.experiment_key,
        count(*) as count_units,
        count(lifecycle_stages.person_id) as count_quiet_units
    from cohorts
    left join lifecycle_stages
        on
            cohorts.person_id = lifecycle_stages.person_id
            and lifecycle_stages.lifecycle_stage in ('at_risk', 'lapsed')
            and cohorts.starts_at >= lifecycle_stages.entered_at
            and (
                lifecycle_stages.exited_at is null
                or cohorts.starts_at < lifecycle_stages.exited_at
            )
    where cohorts.experiment_key is not null
    group by cohorts.experiment_key
),

reactivations as (
    select distinct
        arms.experiment_key,
        arms.workspace_id,
        arms.arm,
        arms.primary_metric,
        metrics.aggregation,
        cast(staged.count_quiet_units as double) / nullif(staged.count_units, 0) as quiet_share
    from arms
    inner join staged
        on arms.experiment_key = staged.experiment_key
    inner join metrics
        on
            arms.primary_metric = metrics.metric_key
            and metrics.behavior = 'order_placed'
    where
        arms.kind = 'journey_holdout'
        and arms.arm <> arms.control_arm
        {%- if declared %}
        and arms.experiment_key in ('{{ declared | join("', '") }}')
        {%- else %}
        and staged.count_quiet_units >= {{ var("insight_lapsed_share") }} * staged.count_units
        {%- endif %}
),

-- What was spent on everybody assigned, the unreached included: that is whom the lift is about. A
-- channel whose cost nobody declared is not free.
spent as (
    select
        cohorts.experiment_key,
        cohorts.arm,
        cast(count(distinct cohorts.person_id) as double) as count_units,
        sum(
            case when deliveries.delivery_id is not null then channel_costs.cost_per_message end
        ) as spending,
        sum(
            case
                when
                    deliveries.delivery_id is not null
                    and channel_costs.cost_per_message is null
                    then 1
                else 0
            end
        ) as count_unpriced
    from cohorts
    left join deliveries
        on
            cohorts.person_id = deliveries.person_id
            and cohorts.journey_id = deliveries.journey_id
            and deliveries.exposure_kind = 'real'
            and cohorts.starts_at <= deliveries.exposed_at
            and cohorts.ends_at > deliveries.exposed_at
    left join channel_costs
        on deliveries.channel = channel_costs.channel
    where cohorts.experiment_key is not null
    group by cohorts.experiment_key, cohorts.arm
),

tiers as (
    {% for tier in ["high", "warm", "cold"] -%}
    select '{{ tier }}' as intent_tier
    {{ "union all" if not loop.last }}
    {% endfor %}
),

evidence as (
    select
        reactivations.experiment_key,
        reactivations.arm,
        tiers.intent_tier,
        reactivations.workspace_id,
        reactivations.primary_metric as metric_key,
        reactivations.aggregation,
        {{ status_in_all_arms("reactivations.experiment_key", "lift.status") }} as status,
        {{ reasons_in_all_arms("reactivations.experiment_key", "lift.reasons") }} as reasons,
        lift.count_treatment,
        lift.count_control,
        lift.lift,
        lift.lift_low,
        lift.lift_high,
        case
            when spent.count_unpriced = 0
                then cast(coalesce(spent.spending, 0) as double) / nullif(spent.count_units, 0)
        end as cost_per_person,
        reactivations.quiet_share
    from reactivations
    cross join tiers
    left join spent
        on
            reactivations.experiment_key = spent.experiment_key
            and reactivations.arm = spent.arm
    left join lift
        on
            reactivations.experiment_key = lift.experiment_key
            and reactivations.arm = lift.arm
            and reactivations.primary_metric = lift.metric_key
            and lift.population = 'itt'
            and lift.stratum = 'intent_tier=' || tiers.intent_tier
)

select * from evidence
