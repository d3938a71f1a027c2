with

inputs as (
    select * from {{ ref("int_loads__inputs") }}
),

file_gaps as (
    select * from {{ ref("int_loads__file_gaps") }}
),

-- A family as a whole is told by its workspaces, and what stopped as a whole not by event again
watched as (
    select
        *,
        {{ var("loads_volume_least_share") }} * usual_rows as least_rows,
        hours_since_last_event > stale_after_hours as is_stale,
        max(
            case
                when grain = 'workspace' and hours_since_last_event > stale_after_hours then 1
                else 0
            end
        ) over (partition by workspace_id, family) = 1 as is_stale_as_a_whole
    from inputs
    where grain <> 'family'
),

judged as (
    select
        *,
        is_stale
        and (
            grain = 'workspace'
            -- an event of a campaign that is long over is no gap
            or (
                not is_stale_as_a_whole
                and count_days >= {{ var("loads_event_least_days") }}
                and hours_since_last_event
                <= 24 * {{ var("loads_volume_days") }} * ({{ var("loads_volume_periods") }} + 1)
            )
        ) as is_stopped,
        not is_stale
        and not is_stale_as_a_whole
        and count_periods >= {{ var("loads_volume_least_periods") }}
        and usual_rows >= {{ var("loads_volume_least_rows") }}
        -- what is often quiet for a whole period tells nothing by such a period
        and stale_after_hours < 24 * {{ var("loads_volume_days") }}
        and recent_rows < least_rows as has_fallen
    from watched
),

found as (
    select
        workspace_id,
        family,
        cast(null as {{ dbt.type_string() }}) as event_name,
        'missing_files' as gap,
        cast(count_missing as double) as value,
        cast(0 as double) as threshold,
        {{ grouped_digits("count_missing") }} || ' of ' || {{ grouped_digits("count_expected") }}
        || ' numbers have no file, the first after ' || cast(first_after as {{ dbt.type_string() }})
            as finding,
        cast(null as timestamp) as last_event_at
    from file_gaps
    union all
    select
        workspace_id,
        family,
        event_name,
        'stopped' as gap,
        cast(hours_since_last_event as double) as value,
        cast(stale_after_hours as double) as threshold,
        'nothing for ' || {{ grouped_digits("hours_since_last_event") }}
        || ' hours; expected within ' || {{ grouped_digits("stale_after_hours") }}
            as finding,
        last_event_at
    from judged
    where is_stopped
    union all
    select
        workspace_id,
        family,
        event_name,
        'fell' as gap,
        cast(recent_rows as double) as value,
        least_rows as threshold,
        {{ grouped_digits("recent_rows") }}
        || ' rows in {{ var("loads_volume_days") }} days; usually '
        || {{ grouped_digits("cast(round(usual_rows) as bigint)") }}
            as finding,
        last_event_at
    from judged
    where has_fallen
)

select * from found
