with

lift as (
    select * from {{ ref("fct_lift") }}
),

experiments as (
    select * from {{ ref("experiments") }}
),

metrics as (
    select * from {{ ref("metrics") }}
),

arms as (
    select * from {{ ref("fct_review_arms") }}
),

messages as (
    select * from {{ ref("fct_review_messages") }}
),

channel_costs as (
    select * from {{ ref("channel_costs") }}
),

decisions as (
    select
        lift.*,
        experiments.planned_n,
        metrics.aggregation,
        experiments.primary_metric = lift.metric_key as is_primary,
        lift.count_treatment + lift.count_control as count_mature
    from lift
    inner join experiments
        on lift.experiment_key = experiments.experiment_key
    inner join metrics
        on lift.metric_key = metrics.metric_key
    where
        lift.population = 'itt'
        and lift.stratum = 'all'
),

shares as (
    select
        *,
        cast({{ var("review_power") }} as double) as power,
        case
            when mean_control > 0 and mean_control < 1 and count_treatment > 0 and count_control > 0
                then
                    (
                        {{ normal_quantile("1.0 - alpha / 2.0") }}
                        + {{ normal_quantile("cast(" ~ var("review_power") ~ " as double)") }}
                    ) * sqrt(mean_control * (1 - mean_control))
        end as difference_of_one_each
    from decisions
    where
        is_primary
        and aggregation = 'any'
        and mean_control is not null
),

money as (
    select
        *,
        row_number() over (partition by experiment_key, arm order by metric_key) as money_rank
    from decisions
    where
        not is_primary
        and aggregation = 'sum'
),

weekly as (
    select
        experiment_key,
        cast(sum(count_week) as {{ dbt.type_bigint() }}) as count_week
    from arms
    group by experiment_key
),

costs as (
    select
        experiments.experiment_key,
        sum(
            messages.count_real * cast(coalesce(channel_costs.cost_per_message, 0) as double)
        ) as message_cost
    from experiments
    inner join messages
        on
            cast(experiments.campaign_id as {{ dbt.type_string() }}) = messages.journey_id
            and coalesce(experiments.workspace_id, messages.workspace_id) = messages.workspace_id
    left join channel_costs
        on messages.channel = channel_costs.channel
    group by experiments.experiment_key
),

joined as (
    select
        -- ids
        shares.experiment_key,
        shares.arm,
        shares.metric_key,
        -- numbers
        shares.mean_control,
        shares.alpha,
        shares.power,
        shares.count_mature,
        shares.planned_n,
        greatest(coalesce(shares.planned_n, 0) - shares.count_mature, 0) as count_lacking,
        coalesce(weekly.count_week, 0) as count_week,
        shares.difference_of_one_each
        * sqrt(1.0 / nullif(shares.count_treatment, 0) + 1.0 / nullif(shares.count_control, 0))
            as difference_detectable,
        shares.difference_of_one_each * sqrt(4.0 / nullif(shares.count_mature, 0))
            as difference_detectable_at_half,
        costs.message_cost / nullif(arms.count_people, 0)
        / nullif(money.mean_control / nullif(shares.mean_control, 0), 0) as difference_paying
    from shares
    left join money
        on
            shares.experiment_key = money.experiment_key
            and shares.arm = money.arm
            and money.money_rank = 1
    left join weekly
        on shares.experiment_key = weekly.experiment_key
    left join costs
        on shares.experiment_key = costs.experiment_key
    left join arms
        on
            shares.experiment_key = arms.experiment_key
            and shares.arm = arms.arm
),

planned as (
    select
        *,
        case
            when count_lacking > 0
                then
                    cast(
                        ceil(count_lacking / nullif(cast(count_week as double), 0)) as {{ dbt.type_bigint() }}
                    )
        end as count_weeks_to_plan
    from joined
)

select * from planned
