-- The key rests on the conversion's event id, and the sync may tell of it under another one than the
-- webhook did: Heap would hear of it twice. So what only a webhook has told waits for a sync that may
-- still tell it, and what was told before a sync came is known by its earlier key.
with

goal_conversions as (
    select * from {{ ref("fct_goal_conversions") }}
),

conversions as (
    select * from {{ ref("int_journeys__conversions") }}
),

persons as (
    select * from {{ ref("heap_persons") }}
),

candidates as (
    select
        {{ publish_key(
            "cio_goal_converted",
            ["goal_conversions.workspace_id", "goal_conversions.conversion_id"]
        ) }} as publish_key,
        case
            when conversions.webhook_conversion_id <> conversions.conversion_id
                then
                    {{ publish_key(
                        "cio_goal_converted",
                        ["goal_conversions.workspace_id", "conversions.webhook_conversion_id"]
                    ) }}
        end as earlier_publish_key,
        persons.heap_identity,
        goal_conversions.person_id,
        goal_conversions.converted_at as occurred_at,
        goal_conversions.workspace_id,
        goal_conversions.journey_id,
        goal_conversions.journey_name,
        goal_conversions.journey_entry_id,
        goal_conversions.arm,
        goal_conversions.segments,
        goal_conversions.intent_tier,
        goal_conversions.delivery_id,
        goal_conversions.message_id,
        goal_conversions.message_name,
        goal_conversions.channel,
        goal_conversions.minutes_since_trigger,
        goal_conversions.goal,
        goal_conversions.exposure_kind,
        goal_conversions.value,
        coalesce(
            {{ heap_refusal_reason(
                "goal_conversions.person_id",
                "goal_conversions.converted_at",
                "heap_cio_goal_converted"
            ) }},
            case
                when conversions.is_awaiting_sync then 'not yet told by the sync'
                when conversions.is_awaiting_order then 'order not known yet'
            end
        ) as refusal_reason
    from goal_conversions
    inner join conversions
        on
            goal_conversions.workspace_id = conversions.workspace_id
            and goal_conversions.conversion_id = conversions.conversion_id
    left join persons
        on goal_conversions.person_id = persons.person_id
)

select * from candidates
