-- Days from one order of a category to the next, counted where the brand lives. The last gap of
-- everybody is still open: it is known to be at least so long, and leaving it out makes everything
-- look faster than it is. Orders of one day are one order.
with

behavior_events as (
    select * from {{ ref("int_identity__behavior_events") }}
),

workspaces as (
    select * from {{ ref("workspaces") }}
),

bought as (
    select distinct
        behavior_events.workspace_id,
        behavior_events.person_id,
        {{ lowered(trimmed("behavior_events.category")) }} as category,
        {{ local_date("behavior_events.occurred_at", "coalesce(workspaces.time_zone, 'UTC')") }}
            as ordered_on,
        {{ local_date(as_of(), "coalesce(workspaces.time_zone, 'UTC')") }} as seen_until
    from behavior_events
    left join workspaces
        on behavior_events.workspace_id = workspaces.workspace_id
    where
        behavior_events.behavior = 'order_placed'
        and behavior_events.person_id is not null
        and {{ not_blank("behavior_events.category") }} is not null
),

followed as (
    select
        *,
        lead(ordered_on) over (
            partition by workspace_id, person_id, category
            order by ordered_on
        ) as reordered_on
    from bought
),

measured as (
    select
        workspace_id,
        person_id,
        category,
        cast(
            {{ dbt.datediff("ordered_on", "coalesce(reordered_on, seen_until)", "day") }}
            as {{ dbt.type_bigint() }}
        ) as gap_days,
        reordered_on is not null as is_completed,
        ordered_on
    from followed
)

select * from measured
