with

conversions as (
    select * from {{ ref("int_journeys__conversions") }}
),

deliveries as (
    select * from {{ ref("int_journeys__deliveries") }}
),

journey_names as (
    select * from {{ ref("int_journeys__journey_names") }}
),

message_names as (
    select * from {{ ref("int_journeys__message_names") }}
),

stamps as (
    select * from {{ ref("int_exposure__stamps") }}
),

labelled as (
    select
        conversions.conversion_id,
        conversions.workspace_id,
        conversions.person_id,
        conversions.journey_id,
        journey_names.journey_name,
        conversions.journey_entry_id,
        conversions.delivery_id,
        deliveries.message_id,
        message_names.message_name,
        deliveries.channel,
        deliveries.exposure_kind,
        conversions.goal,
        stamps.segments,
        stamps.intent_tier,
        stamps.arm,
        conversions.value,
        deliveries.minutes_since_trigger,
        conversions.converted_at
    from conversions
    left join deliveries
        on
            conversions.workspace_id = deliveries.workspace_id
            and conversions.delivery_id = deliveries.delivery_id
    left join journey_names
        on
            conversions.workspace_id = journey_names.workspace_id
            and conversions.journey_id = journey_names.journey_id
    left join message_names
        on
            deliveries.workspace_id = message_names.workspace_id
            and deliveries.message_id = message_names.message_id
    left join stamps
        on
            conversions.person_id = stamps.person_id
            and conversions.converted_at = stamps.occurred_at
)

select * from labelled
