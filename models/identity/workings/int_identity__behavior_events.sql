-- A line is its event id, event name and product; a blank product is none, so that '' stands for it.
with

events as (
    select * from {{ ref("stg_behavior__events") }}
),

identifiers as (
    select * from {{ ref("int_identity__identifiers") }}
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

-- Workspaces may compare one identifier in different ways; usually there is one.
spellings as (
    select distinct
        identifier_type,
        is_trimmed,
        is_lowered
    from rules
),

spelled as (
    select
        events.event_id,
        events.event_name,
        events.product_id,
        events.occurred_at,
        spellings.identifier_type,
        spellings.is_trimmed,
        spellings.is_lowered,
        case spellings.identifier_type
            when 'customer_id' then {{ normalised("events.customer_id", "spellings") }}
            else {{ normalised("events.email", "spellings") }}
        end as identifier
    from events
    cross join spellings
),

ruled_identifiers as (
    select
        identifiers.workspace_id,
        identifiers.identifier_type,
        identifiers.identifier,
        identifiers.person_id,
        identifiers.valid_from,
        identifiers.valid_to,
        rules.preference,
        rules.is_trimmed,
        rules.is_lowered
    from identifiers
    inner join rules
        on
            identifiers.workspace_id = rules.workspace_id
            and identifiers.identifier_type = rules.identifier_type
),

candidates as (
    select
        spelled.event_id,
        spelled.event_name,
        spelled.product_id,
        ruled_identifiers.workspace_id,
        ruled_identifiers.person_id,
        row_number() over (
            partition by
                spelled.event_id,
                spelled.event_name,
                spelled.product_id,
                ruled_identifiers.workspace_id
            order by ruled_identifiers.preference, ruled_identifiers.identifier_type
        ) as candidate_rank
    from spelled
    inner join ruled_identifiers
        on
            spelled.identifier = ruled_identifiers.identifier
            and spelled.identifier_type = ruled_identifiers.identifier_type
            and spelled.is_trimmed = ruled_identifiers.is_trimmed
            and spelled.is_lowered = ruled_identifiers.is_lowered
            and spelled.occurred_at >= ruled_identifiers.valid_from
            and (ruled_identifiers.valid_to is null or spelled.occurred_at < ruled_identifiers.valid_to)
),

resolved as (
    select
        event_id,
        event_name,
        product_id,
        workspace_id,
        person_id
    from candidates
    where candidate_rank = 1
),

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
        resolved.workspace_id,
        resolved.person_id,
        events.event_name,
        events.behavior,
        events.value_behavior,
        events.product_id,
        events.category,
        events.value,
        events.occurred_at,
        case
            when resolved.person_id is not null then null
            when events.customer_id is null and events.email is null then 'no identifier'
            when held_by_many.event_id is not null then 'identifier is a hub or a placeholder'
            else 'identifier held by nobody'
        end as unresolved_reason
    from events
    left join resolved
        on
            events.event_id = resolved.event_id
            and events.event_name = resolved.event_name
            and coalesce(events.product_id, '') = coalesce(resolved.product_id, '')
    left join held_by_many
        on
            events.event_id = held_by_many.event_id
            and events.event_name = held_by_many.event_name
            and coalesce(events.product_id, '') = coalesce(held_by_many.product_id, '')
)

select * from explained
