-- Unsubscribed from a statement that says so (the attribute, an unsubscribe or complaint about a
-- message, a webhook about the person) until a later one that takes it back.
with

feed_statements as (
    select * from {{ ref("int_journeys__subscription_statements") }}
),

{{ attribute_history("unsubscribed", "boolean") }},

statements as (
    select
        person_id,
        valid_from as stated_at,
        case when value then 1 else 0 end as is_unsubscribed
    from unsubscribed
    where value is not null
    union all
    select
        person_id,
        stated_at,
        case when is_unsubscribed then 1 else 0 end as is_unsubscribed
    from feed_statements
),

-- of two statements of one instant, the one that forbids counts
instants as (
    select
        person_id,
        stated_at,
        max(is_unsubscribed) as is_unsubscribed
    from statements
    where person_id is not null
    group by person_id, stated_at
),

followed as (
    select
        person_id,
        is_unsubscribed,
        stated_at as starts_at,
        lead(stated_at) over (
            partition by person_id
            order by stated_at
        ) as ends_at
    from instants
),

spans as (
    select
        person_id,
        starts_at,
        ends_at
    from followed
    where is_unsubscribed = 1
)

select * from spans
