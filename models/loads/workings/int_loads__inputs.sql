with

daily_counts as (
    select * from {{ ref("int_loads__daily_counts") }}
),

volumes as (
    select * from {{ ref("int_loads__volumes") }}
),

spelled as (
    select
        *,
        lead(days_before) over (partition by input_id order by days_before) - days_before as quiet_days,
        min(days_before) over (partition by input_id) as last_days_before
    from daily_counts
),

aged as (
    select
        input_id,
        grain,
        workspace_id,
        family,
        event_name,
        count(*) as count_days,
        -- how it was before long says nothing of how it is now
        coalesce(
            max(
                case
                    when
                        days_before - last_days_before
                        < {{ var("loads_volume_days") }} * {{ var("loads_volume_periods") }}
                        then quiet_days
                end
            ),
            0
        ) as longest_quiet_days,
        max(last_event_at) as last_event_at
    from spelled
    group by input_id, grain, workspace_id, family, event_name
),

judged as (
    select
        aged.input_id,
        aged.grain,
        aged.workspace_id,
        aged.family,
        aged.event_name,
        aged.count_days,
        cast(
            floor({{ minutes_between("aged.last_event_at", as_of()) }} / 60.0) as {{ dbt.type_bigint() }}
        ) as hours_since_last_event,
        cast(
            greatest(
                {{ var("stale_after_hours") }},
                ceil(24 * {{ var("loads_quiet_factor") }} * aged.longest_quiet_days)
            ) as {{ dbt.type_bigint() }}
        ) as stale_after_hours,
        volumes.recent_rows,
        volumes.usual_rows,
        volumes.count_periods,
        aged.last_event_at
    from aged
    inner join volumes
        on aged.input_id = volumes.input_id
)

select * from judged
