with

journey_entries as (
    select * from {{ ref("fct_journey_entries") }}
),

persons as (
    select * from {{ ref("heap_persons") }}
),

candidates as (
    select
        {{ publish_key(
            "cio_journey_entered",
            ["journey_entries.workspace_id", "journey_entries.journey_entry_id"]
        ) }} as publish_key,
        persons.heap_identity,
        journey_entries.person_id,
        journey_entries.entered_at as occurred_at,
        journey_entries.workspace_id,
        journey_entries.journey_id,
        journey_entries.journey_name,
        journey_entries.journey_entry_id,
        journey_entries.arm,
        journey_entries.segments,
        journey_entries.intent_tier,
        {{ heap_refusal_reason(
            "journey_entries.person_id",
            "journey_entries.entered_at",
            "heap_cio_journey_entered"
        ) }} as refusal_reason
    from journey_entries
    left join persons
        on journey_entries.person_id = persons.person_id
)

select * from candidates
