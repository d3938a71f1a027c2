with

delivery_contents as (
    select * from {{ source("customerio", "delivery_contents") }}
),

distinct_recipients as (
    select distinct
        workspace_id,
        delivery_id,
        {{ lowered(trimmed("recipient")) }} as recipient
    from delivery_contents
    where
        workspace_id is not null
        and delivery_id is not null
        and {{ not_blank("recipient") }} is not null
)

select * from distinct_recipients
