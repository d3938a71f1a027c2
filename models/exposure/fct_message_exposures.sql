with

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
        deliveries.delivery_id,
        deliveries.workspace_id,
        deliveries.person_id,
        deliveries.journey_entry_id,
        deliveries.journey_id,
        journey_names.journey_name,
        deliveries.message_id,
        message_names.message_name,
        deliveries.message_type,
        deliveries.channel,
        deliveries.exposure_kind,
        deliveries.not_exposed_reason,
        stamps.segments,
        stamps.intent_tier,
        stamps.arm,
        cast(deliveries.count_conversions as {{ dbt.type_bigint() }}) as count_conversions,
        deliveries.minutes_since_trigger,
        deliveries.created_at,
        deliveries.sent_at,
        deliveries.delivered_at,
        deliveries.human_opened_at,
        deliveries.proxied_opened_at,
        deliveries.prefetched_opened_at,
        deliveries.machine_opened_at,
        deliveries.unknown_opened_at,
        deliveries.human_clicked_at,
        deliveries.machine_clicked_at,
        deliveries.unknown_clicked_at,
        deliveries.converted_at,
        deliveries.bounced_at,
        deliveries.dropped_at,
        deliveries.failed_at,
        deliveries.undeliverable_at,
        deliveries.unsubscribed_at,
        deliveries.spammed_at
    from deliveries
    left join journey_names
        on
            deliveries.workspace_id = journey_names.workspace_id
            and deliveries.journey_id = journey_names.journey_id
    left join message_names
        on
            deliveries.workspace_id = message_names.workspace_id
            and deliveries.message_id = message_names.message_id
    left join stamps
        on
            deliveries.person_id = stamps.person_id
            and coalesce(deliveries.exposed_at, deliveries.ghost_at, deliveries.created_at)
            = stamps.occurred_at
)

select * from labelled
