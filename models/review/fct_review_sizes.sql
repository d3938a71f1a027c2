with

plans as (
    select * from {{ ref("int_review__plans") }}
),

lift as (
    select * from {{ ref("fct_lift") }}
    where
        population = 'itt'
        and stratum = 'all'
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
    from plans
    where
        aggregation = 'any'
        and mean_control is not null
),

money as (
    select
        lift.experiment_key,
        lift.arm,
        lift.mean_control,
        row_number() over (
            partition by lift.experiment_key, lift.arm
            order by lift.metric_key
        ) as money_rank
    from lift
    inner join experiments
        on lift.experiment_key = experiments.experiment_key
    inner join metrics
        on lift.metric_key = metrics.metric_key
    where
        lift.metric_key <> experiments.primary_metric
        and metrics.aggregation = 'sum'
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
        shares.count_lacking,
        shares.count_week,
        shares.count_weeks_to_plan,
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
    left join costs
        on shares.experiment_key = costs.experiment_key
    left join arms
        on
            shares.experiment_key = arms.experiment_key
            and shares.arm = arms.arm
)

select * from joined
