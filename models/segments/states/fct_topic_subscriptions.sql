with

statements as (
    select * from {{ ref("int_journeys__topic_statements") }}
),

followed as (
    select
        *,
        lag(is_subscribed) over (
            partition by person_id, topic
            order by stated_at
        ) as was_subscribed
    from statements
),

changes as (
    select * from followed
    where
        was_subscribed is null
        or was_subscribed <> is_subscribed
),

spans as (
    select
        person_id,
        topic,
        is_subscribed,
        stated_at as entered_at,
        lead(stated_at) over (
            partition by person_id, topic
            order by stated_at
        ) as exited_at
    from changes
)

select * from spans
