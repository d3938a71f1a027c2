with

entries as (
    select * from {{ ref("int_journeys__entries") }}
),

journey_names as (
    select * from {{ ref("int_journeys__journey_names") }}
),

stamps as (
    select * from {{ ref("int_exposure__stamps") }}
),

labelled as (
    select
        entries.journey_entry_id,
        entries.workspace_id,
        entries.person_id,
        entries.journey_id,
        journey_names.journey_name,
        stamps.segments,
        stamps.intent_tier,
        stamps.arm,
        entries.entered_at
    from entries
    left join journey_names
        on
            entries.workspace_id = journey_names.workspace_id
            and entries.journey_id = journey_names.journey_id
    left join stamps
        on
            entries.person_id = stamps.person_id
            and entries.entered_at = stamps.occurred_at
)

select * from labelled
