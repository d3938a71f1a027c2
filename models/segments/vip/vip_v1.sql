-- Orders so far are worth the threshold or more. Begins with the order that reaches it and stays,
-- unless later corrections (negative orders) bring the sum below it.
with

orders as (
    select * from {{ ref("int_segments__orders") }}
),

spans as (
    select
        person_id,
        ordered_at as starts_at,
        next_ordered_at as ends_at
    from orders
    where lifetime_value >= {{ var("vip_lifetime_value") }}
),

{{ stays_from("spans") }}

select * from stays
