-- Unsubscribed from the last statement that says so until one that takes it back.
with

{{ attribute_history("unsubscribed", "boolean") }},

spans as (
    select
        person_id,
        valid_from as starts_at,
        valid_to as ends_at
    from unsubscribed
    where value
)

select * from spans
