-- What an arm brought beyond its control, in margin: by the money itself where its interval may be told,
-- else by the orders at their mean value.
{%- set estimates = ["lift", "lift_low", "lift_high"] %}
with

arms as (
    select * from {{ ref("int_experiments__arms") }}
),

metrics as (
    select * from {{ ref("metrics") }}
    where behavior = 'order_placed'
),

lift as (
    select * from {{ ref("fct_lift") }}
    where
        population = 'itt'
        and stratum = 'all'
),

cohorts as (
    select * from {{ ref("int_insight__cohorts") }}
),

-- One metric of each kind: the first by name.
kinds as (
    select
        min(case when aggregation = 'any' then metric_key end) as order_metric,
        min(case when aggregation = 'sum' then metric_key end) as money_metric
    from metrics
),

held_out as (
    select distinct
        arms.experiment_key,
        arms.workspace_id,
        cast(arms.campaign_id as {{ dbt.type_string() }}) as journey_id,
        arms.arm,
        arms.control_arm,
        kinds.order_metric,
        kinds.money_metric
    from arms
    cross join kinds
    where
        arms.kind = 'journey_holdout'
        and arms.arm <> arms.control_arm
),

weekly as (
    select
        experiment_key,
        cast(count(*) as double) * 7
        / greatest(7, {{ dbt.datediff("min(starts_at)", "max(starts_at)", "day") }}) as count_week
    from cohorts
    where experiment_key is not null
    group by experiment_key
),

read as (
    select
        held_out.experiment_key,
        held_out.workspace_id,
        held_out.journey_id,
        held_out.arm,
        held_out.control_arm,
        orders.status,
        orders.reasons,
        revenue.status as money_status,
        revenue.reasons as money_reasons,
        orders.interval_kind,
        orders.count_treatment,
        orders.count_control,
        {%- for estimate in estimates %}
        orders.{{ estimate }} as orders_{{ estimate }},
        revenue.{{ estimate }} as money_{{ estimate }},
        {%- endfor %}
        (revenue.mean_treatment * revenue.count_treatment + revenue.mean_control * revenue.count_control)
        / nullif(
            orders.mean_treatment * orders.count_treatment + orders.mean_control * orders.count_control, 0
        ) as mean_order_value,
        weekly.count_week
    from held_out
    left join lift as orders
        on
            held_out.experiment_key = orders.experiment_key
            and held_out.arm = orders.arm
            and held_out.order_metric = orders.metric_key
    left join lift as revenue
        on
            held_out.experiment_key = revenue.experiment_key
            and held_out.arm = revenue.arm
            and held_out.money_metric = revenue.metric_key
    left join weekly
        on held_out.experiment_key = weekly.experiment_key
),

based as (
    select
        *,
        case
            when money_lift_low is not null then 'money'
            else 'orders at their mean value'
        end as value_basis
    from read
),

valued as (
    select
        experiment_key,
        workspace_id,
        journey_id,
        arm,
        control_arm,
        value_basis,
        interval_kind,
        case when value_basis = 'money' then money_status else status end as status,
        case when value_basis = 'money' then money_reasons else reasons end as reasons,
        {%- for side in ["", "_low", "_high"] %}
        case
            when value_basis = 'money' then money_lift{{ side }}
            else orders_lift{{ side }} * mean_order_value
        end * {{ var("insight_margin_share") }} as margin{{ side }},
        {%- endfor %}
        count_week,
        coalesce(count_treatment, 0) as count_treatment,
        coalesce(count_control, 0) as count_control
    from based
)

select * from valued
