with

message_exposures as (
    select * from {{ ref("fct_message_exposures") }}
),

persons as (
    select * from {{ ref("heap_persons") }}
),

candidates as (
    select
        {{ publish_key(
            "cio_message_sent",
            ["message_exposures.workspace_id", "message_exposures.delivery_id"]
        ) }} as publish_key,
        persons.heap_identity,
        message_exposures.person_id,
        coalesce(message_exposures.sent_at, message_exposures.delivered_at) as occurred_at,
        message_exposures.workspace_id,
        message_exposures.journey_id,
        message_exposures.journey_name,
        message_exposures.journey_entry_id,
        message_exposures.arm,
        message_exposures.segments,
        message_exposures.intent_tier,
        message_exposures.delivery_id,
        message_exposures.message_id,
        message_exposures.message_name,
        message_exposures.channel,
        message_exposures.minutes_since_trigger,
        {{ heap_refusal_reason(
            "message_exposures.person_id",
            "coalesce(message_exposures.sent_at, message_exposures.delivered_at)",
            "heap_cio_message_sent"
        ) }} as refusal_reason
    from message_exposures
    left join persons
        on message_exposures.person_id = persons.person_id
    where message_exposures.exposure_kind = 'real'
)

select * from candidates
