with

clicks as (
    select * from {{ ref("int_journeys__clicks") }}
),

exposures as (
    select * from {{ ref("fct_message_exposures") }}
),

stamps as (
    select * from {{ ref("int_exposure__stamps") }}
),

persons as (
    select * from {{ ref("heap_persons") }}
),

candidates as (
    select
        {{ publish_key(
            "cio_message_clicked",
            ["clicks.workspace_id", "clicks.delivery_id", "clicks.link_id"]
        ) }} as publish_key,
        persons.heap_identity,
        exposures.person_id,
        clicks.clicked_at as occurred_at,
        clicks.workspace_id,
        exposures.journey_id,
        exposures.journey_name,
        exposures.journey_entry_id,
        stamps.arm,
        stamps.segments,
        stamps.intent_tier,
        clicks.delivery_id,
        exposures.message_id,
        exposures.message_name,
        exposures.channel,
        exposures.minutes_since_trigger,
        cast(clicks.link_id as {{ dbt.type_string() }}) as link_id,
        clicks.click_kind,
        {{ heap_refusal_reason(
            "exposures.person_id",
            "clicks.clicked_at",
            "heap_cio_message_clicked"
        ) }} as refusal_reason
    from clicks
    inner join exposures
        on
            clicks.workspace_id = exposures.workspace_id
            and clicks.delivery_id = exposures.delivery_id
    left join stamps
        on
            exposures.person_id = stamps.person_id
            and clicks.clicked_at = stamps.occurred_at
    left join persons
        on exposures.person_id = persons.person_id
    where exposures.exposure_kind = 'real'
)

select * from candidates
