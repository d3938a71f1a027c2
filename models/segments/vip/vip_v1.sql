-- Orders so far are worth the threshold or more. Begins with the order that reaches it and stays,
-- unless later corrections (negative orders) bring the sum below it.
with

order_values as (
    select * from {{ ref("int_segments__order_values") }}
),

spans as (
    select
        person_id,
        changed_at as starts_at,
        next_changed_at as ends_at
    from order_values
    where lifetime_value >= {{ var("vip_lifetime_value") }}
),

{{ stays_from("spans") }}

select * from stays
