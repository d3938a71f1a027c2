{%- set margin_share = var("insight_margin_share") %}
with

person_states as (
    select * from {{ ref("dim_person_states") }}
),

profiles as (
    select * from {{ ref("int_identity__profiles") }}
),

orders as (
    select * from {{ ref("int_segments__orders") }}
),

order_values as (
    select * from {{ ref("int_segments__order_values") }}
),

evidence as (
    select * from {{ ref("int_insight__reactivation_evidence") }}
),

homes as (
    select
        person_id,
        min(workspace_id) as workspace_id
    from profiles
    group by person_id
),

current_values as (
    select
        person_id,
        lifetime_value
    from order_values
    where next_changed_at is null
),

bought as (
    select
        orders.person_id,
        count(*) as count_orders,
        max(current_values.lifetime_value) as lifetime_value
    from orders
    inner join current_values
        on orders.person_id = current_values.person_id
    group by orders.person_id
),

-- Only those who may be written to.
quiet as (
    select
        homes.workspace_id,
        person_states.person_id,
        person_states.lifecycle_stage,
        case
            {%- for band, most_orders in var("insight_frequency_bands").items() %}
            {%- if most_orders %}
            when bought.count_orders <= {{ most_orders }} then {{ literal(band) }}
            {%- else %}
            else {{ literal(band) }}
            {%- endif %}
            {%- endfor %}
        end as frequency_band,
        person_states.ltv_tier,
        person_states.intent_tier,
        bought.count_orders,
        bought.lifetime_value
    from person_states
    inner join homes
        on person_states.person_id = homes.person_id
    inner join bought
        on person_states.person_id = bought.person_id
    where
        person_states.lifecycle_stage in ('at_risk', 'lapsed')
        and person_states.subscription_status = 'subscribed'
),

strata as (
    select
        workspace_id,
        lifecycle_stage,
        frequency_band,
        ltv_tier,
        intent_tier,
        count(*) as count_persons,
        cast(sum(lifetime_value) as double) / nullif(sum(count_orders), 0) as average_order_value
    from quiet
    group by workspace_id, lifecycle_stage, frequency_band, ltv_tier, intent_tier
),

valued as (
    select
        strata.*,
        evidence.experiment_key,
        evidence.arm,
        evidence.metric_key,
        evidence.status,
        evidence.reasons,
        evidence.count_treatment,
        evidence.count_control,
        {%- for estimate in ["lift", "lift_low", "lift_high"] %}
        evidence.{{ estimate }}
        * case when evidence.aggregation = 'sum' then 1.0 else strata.average_order_value end
        * {{ margin_share }} as {{ estimate }}_margin,
        {%- endfor %}
        evidence.cost_per_person
    from strata
    left join evidence
        on
            strata.intent_tier = evidence.intent_tier
            and (
                evidence.workspace_id is null
                or strata.workspace_id = evidence.workspace_id
            )
),

netted as (
    select
        *,
        lift_margin - cost_per_person as net_margin,
        lift_low_margin - cost_per_person as net_margin_low,
        lift_high_margin - cost_per_person as net_margin_high
    from valued
),

judged as (
    select
        *,
        case
            when net_margin_low > 0 then 'send'
            when net_margin_high <= 0 then 'do not send'
            else 'test next'
        end as verdict
    from netted
),

ranked as (
    select
        -- ids
        workspace_id,
        experiment_key,
        arm,
        metric_key,
        -- attributes
        lifecycle_stage,
        frequency_band,
        ltv_tier,
        intent_tier,
        {{ status_in_all_arms("experiment_key", "status") }} as status,
        {%- set codes = reasons_with("reasons", {"unpriced_channel": "cost_per_person is null"}) %}
        {{ reasons_in_all_arms("experiment_key", codes) }} as reasons,
        verdict,
        -- numbers
        cast(row_number() over (
            partition by workspace_id
            order by
                case when net_margin_low is null then 1 else 0 end asc,
                net_margin_low desc,
                count_persons desc,
                lifecycle_stage asc,
                frequency_band asc,
                ltv_tier asc,
                intent_tier asc,
                experiment_key asc,
                arm asc
        ) as {{ dbt.type_bigint() }}) as triage_rank,
        count_persons,
        count_treatment,
        count_control,
        average_order_value,
        cost_per_person,
        net_margin,
        net_margin_low,
        net_margin_high
    from judged
)

select * from ranked
