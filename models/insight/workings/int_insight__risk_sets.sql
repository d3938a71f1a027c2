-- Whoever bought before the instant is out, in both arms; the state is what was known up to it.
with

instants as (
    select * from {{ ref("int_insight__risk_instants") }}
),

sends as (
    select * from {{ ref("int_insight__sends") }}
),

behavior_events as (
    select * from {{ ref("int_identity__behavior_events") }}
),

intent_tiers as (
    select * from {{ ref("fct_intent_tiers") }}
),

starts as (
    select distinct
        cohort_key,
        person_id,
        behavior,
        starts_at,
        ends_at
    from instants
),

converted as (
    select
        starts.cohort_key,
        starts.person_id,
        min(behavior_events.occurred_at) as converted_at
    from starts
    inner join behavior_events
        on
            starts.person_id = behavior_events.person_id
            and starts.behavior = behavior_events.behavior
            and starts.starts_at <= behavior_events.occurred_at
            and starts.ends_at > behavior_events.occurred_at
    group by starts.cohort_key, starts.person_id
),

at_risk as (
    select
        instants.*,
        converted.converted_at is not null as is_converted
    from instants
    left join converted
        on
            instants.cohort_key = converted.cohort_key
            and instants.person_id = converted.person_id
    where
        instants.ends_at > instants.reached_at
        and coalesce(converted.converted_at >= instants.reached_at, true)
),

shown as (
    select
        at_risk.cohort_key,
        at_risk.shown_arm,
        at_risk.message_id,
        at_risk.timing_number,
        at_risk.person_id,
        {%- for side, pick in [("first", "min"), ("last", "max")] %}
        {{ pick }}(
            case
                when
                    sends.message_id <> at_risk.message_id
                    or sends.timing_number <> at_risk.timing_number
                    then sends.shown_at
            end
        ) as {{ side }}_other_at,
        {%- endfor %}
        max(
            case
                when
                    sends.message_id = at_risk.message_id
                    and sends.timing_number = at_risk.timing_number
                    then 1
                else 0
            end
        ) as is_shown
    from at_risk
    inner join sends
        on
            at_risk.cohort_key = sends.cohort_key
            and at_risk.person_id = sends.person_id
    group by
        at_risk.cohort_key,
        at_risk.shown_arm,
        at_risk.message_id,
        at_risk.timing_number,
        at_risk.person_id
),

shipping as (
    select distinct
        at_risk.cohort_key,
        at_risk.shown_arm,
        at_risk.message_id,
        at_risk.timing_number,
        at_risk.person_id
    from at_risk
    inner join behavior_events
        on
            at_risk.person_id = behavior_events.person_id
            and behavior_events.behavior = 'shipping_viewed'
            and at_risk.reached_at > behavior_events.occurred_at
            and {{ dbt.dateadd("hour", "-1 * " ~ var("insight_state_hours"), "at_risk.reached_at") }}
            <= behavior_events.occurred_at
),

stated as (
    select
        at_risk.cohort_key,
        at_risk.shown_arm,
        at_risk.message_id,
        at_risk.timing_number,
        at_risk.person_id,
        at_risk.arm,
        at_risk.allocation_version,
        at_risk.metric_key,
        case when shipping.person_id is null then 'not seen' else 'seen' end as shipping_rates,
        coalesce(intent_tiers.intent_tier, 'cold') as intent_tier,
        coalesce(shown.is_shown, 0) as is_shown,
        case when shown.first_other_at < at_risk.reached_at then 1 else 0 end as is_shown_before,
        case when shown.last_other_at >= at_risk.reached_at then 1 else 0 end as is_shown_after,
        case when at_risk.is_converted then 1 else 0 end as is_converted,
        at_risk.starts_at,
        at_risk.reached_at
    from at_risk
    left join shown
        on
            at_risk.cohort_key = shown.cohort_key
            and at_risk.shown_arm = shown.shown_arm
            and at_risk.message_id = shown.message_id
            and at_risk.timing_number = shown.timing_number
            and at_risk.person_id = shown.person_id
    left join shipping
        on
            at_risk.cohort_key = shipping.cohort_key
            and at_risk.shown_arm = shipping.shown_arm
            and at_risk.message_id = shipping.message_id
            and at_risk.timing_number = shipping.timing_number
            and at_risk.person_id = shipping.person_id
    left join intent_tiers
        on
            at_risk.person_id = intent_tiers.person_id
            and at_risk.reached_at >= intent_tiers.entered_at
            and coalesce(at_risk.reached_at < intent_tiers.exited_at, true)
)

select * from stated
