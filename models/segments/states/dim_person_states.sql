-- What is true of each person at as_of. For what was true at another time, join the stays.
with

profiles as (
    select * from {{ ref("int_identity__profiles") }}
),

people as (
    select * from {{ ref("stg_customerio__people") }}
),

orders as (
    select * from {{ ref("int_segments__orders") }}
),

order_values as (
    select * from {{ ref("int_segments__order_values") }}
),

unsubscribed as (
    select * from {{ ref("int_segments__unsubscribed_spans") }}
),

intent_tiers as (
    select * from {{ ref("fct_intent_tiers") }}
),

lifecycle_stages as (
    select * from {{ ref("fct_lifecycle_stages") }}
),

persons as (
    select
        profiles.person_id,
        max(case when people.is_suppressed then 1 else 0 end) as count_suppressed
    from profiles
    left join people
        on
            profiles.workspace_id = people.workspace_id
            and profiles.cio_id = people.cio_id
    group by profiles.person_id
),

bought as (
    select
        person_id,
        min(ordered_on) as first_order_on,
        max(ordered_on) as last_order_on
    from orders
    group by person_id
),

current_values as (
    select
        person_id,
        lifetime_value
    from order_values
    where next_changed_at is null
),

current_intent_tiers as (
    select
        person_id,
        intent_tier
    from intent_tiers
    where exited_at is null
),

current_lifecycle_stages as (
    select
        person_id,
        lifecycle_stage
    from lifecycle_stages
    where exited_at is null
),

currently_unsubscribed as (
    select distinct person_id
    from unsubscribed
    where ends_at is null
),

described as (
    select
        persons.person_id,
        case
            when bought.person_id is null then 'none'
            when current_values.lifetime_value >= {{ var("vip_lifetime_value") }} then 'high'
            when current_values.lifetime_value >= {{ var("ltv_mid_lifetime_value") }} then 'mid'
            else 'low'
        end as ltv_tier,
        case
            when persons.count_suppressed > 0 then 'suppressed'
            when currently_unsubscribed.person_id is not null then 'unsubscribed'
            else 'subscribed'
        end as subscription_status,
        coalesce(current_intent_tiers.intent_tier, 'cold') as intent_tier,
        coalesce(current_lifecycle_stages.lifecycle_stage, 'prospect') as lifecycle_stage,
        bought.first_order_on,
        bought.last_order_on
    from persons
    left join bought
        on persons.person_id = bought.person_id
    left join current_values
        on persons.person_id = current_values.person_id
    left join currently_unsubscribed
        on persons.person_id = currently_unsubscribed.person_id
    left join current_intent_tiers
        on persons.person_id = current_intent_tiers.person_id
    left join current_lifecycle_stages
        on persons.person_id = current_lifecycle_stages.person_id
)

select * from described
