-- A line is its event id, event name and product; a blank product is none, so that '' stands for it.
with

events as (
    select * from {{ ref("stg_behavior__events") }}
),

identifiers as (
    select * from {{ ref("map_identifiers") }}
),

rules as (
    select * from {{ ref("int_identity__rules") }}
    where
        identifier_type in ('customer_id', 'email')
        and is_linking
),

refused as (
    select * from {{ ref("int_identity__refused_identifiers") }}
),

{{ holders_then("events", ["event_id", "event_name", "product_id"]) }},

refused_values as (
    select distinct
        identifier_type,
        identifier
    from refused
),

held_by_many as (
    select distinct
        spelled.event_id,
        spelled.event_name,
        spelled.product_id
    from spelled
    inner join refused_values
        on
            spelled.identifier_type = refused_values.identifier_type
            and spelled.identifier = refused_values.identifier
),

explained as (
    select
        events.event_id,
        holders.workspace_id,
        holders.person_id,
        events.event_name,
        events.behavior,
        events.value_behavior,
        events.product_id,
        events.category,
        events.value,
        events.occurred_at,
        case
            when holders.person_id is not null then null
            when events.customer_id is null and events.email is null then 'no identifier'
            when held_by_many.event_id is not null then 'identifier is a hub or a placeholder'
            else 'identifier held by nobody'
        end as unresolved_reason
    from events
    left join holders
        on
            events.event_id = holders.event_id
            and events.event_name = holders.event_name
            and coalesce(events.product_id, '') = coalesce(holders.product_id, '')
    left join held_by_many
        on
            events.event_id = held_by_many.event_id
            and events.event_name = held_by_many.event_name
            and coalesce(events.product_id, '') = coalesce(held_by_many.product_id, '')
)

select * from explained
