with

entries as (
    select * from {{ ref("int_journeys__entries") }}
),

deliveries as (
    select * from {{ ref("int_journeys__deliveries") }}
),

clicks as (
    select * from {{ ref("int_journeys__clicks") }}
),

conversions as (
    select * from {{ ref("int_journeys__conversions") }}
),

united as (
    select
        person_id,
        entered_at as occurred_at
    from entries
    union
    select
        person_id,
        coalesce(exposed_at, ghost_at, created_at) as occurred_at
    from deliveries
    union
    select
        deliveries.person_id,
        clicks.clicked_at as occurred_at
    from clicks
    inner join deliveries
        on
            clicks.workspace_id = deliveries.workspace_id
            and clicks.delivery_id = deliveries.delivery_id
    union
    select
        person_id,
        converted_at as occurred_at
    from conversions
),

resolved as (
    select
        person_id,
        occurred_at
    from united
    where person_id is not null
)

select * from resolved
