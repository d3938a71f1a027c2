-- Should be running out of something bought before. For each category, begins some days before its
-- usual gap after the last order of that category is over, ends with the next order of it, or some
-- days after the gap. Categories without a gap of their own have the usual one.
with

behavior_events as (
    select * from {{ ref("int_identity__behavior_events") }}
),

workspaces as (
    select * from {{ ref("workspaces") }}
),

category_orders as (
    select distinct
        behavior_events.person_id,
        behavior_events.category,
        coalesce(workspaces.time_zone, 'UTC') as time_zone,
        behavior_events.occurred_at as ordered_at
    from behavior_events
    left join workspaces
        on behavior_events.workspace_id = workspaces.workspace_id
    where
        behavior_events.behavior = 'order_placed'
        and behavior_events.category is not null
        and behavior_events.person_id is not null
),

followed as (
    select
        *,
        {{ local_date("ordered_at", "time_zone") }} as ordered_on,
        lead(ordered_at) over (
            partition by person_id, category
            order by ordered_at
        ) as next_ordered_at,
        case {{ lowered("category") }}
            {%- for category, days in var("replenishment_gap_days").items() %}
            when '{{ category }}' then {{ days }}
            {%- endfor %}
            else {{ var("replenishment_usual_gap_days") }}
        end as gap_days
    from category_orders
),

opened as (
    select
        *,
        {{ days_after("gap_days - " ~ var("replenishment_days_before"), "ordered_on") }} as opens_at,
        {{ days_after("gap_days + " ~ var("replenishment_days_after"), "ordered_on") }} as closes_at
    from followed
),

spans as (
    select
        person_id,
        opens_at as starts_at,
        case when next_ordered_at < closes_at then next_ordered_at else closes_at end as ends_at
    from opened
),

{{ stays_from("spans") }}

select * from stays
