with

events as (
    select * from {{ ref("stg_behavior__events") }}
),

identifiers as (
    select * from {{ ref("int_identity__identifiers") }}
),

held_by_customer_id as (
    select
        events.event_id,
        identifiers.workspace_id,
        identifiers.person_id,
        1 as preference
    from events
    inner join identifiers
        on
            events.customer_id = identifiers.identifier
            and identifiers.identifier_type = 'customer_id'
            and events.occurred_at >= identifiers.valid_from
            and (identifiers.valid_to is null or events.occurred_at < identifiers.valid_to)
),

held_by_email as (
    select
        events.event_id,
        identifiers.workspace_id,
        identifiers.person_id,
        2 as preference
    from events
    inner join identifiers
        on
            lower(events.email) = identifiers.identifier
            and identifiers.identifier_type = 'email'
            and events.occurred_at >= identifiers.valid_from
            and (identifiers.valid_to is null or events.occurred_at < identifiers.valid_to)
),

candidates as (
    select * from held_by_customer_id
    union all
    select * from held_by_email
),

ranked as (
    select
        *,
        row_number() over (
            partition by event_id, workspace_id
            order by preference, person_id
        ) as candidate_rank
    from candidates
),

resolved as (
    select
        events.event_id,
        ranked.workspace_id,
        ranked.person_id,
        events.event_name,
        events.behavior,
        events.product_id,
        events.category,
        events.value,
        events.occurred_at,
        case when ranked.person_id is null then 'identifier held by nobody' end as unresolved_reason
    from events
    left join ranked
        on
            events.event_id = ranked.event_id
            and ranked.candidate_rank = 1
)

select * from resolved
