{% macro left_without(behavior, ends_with, wait_hours, window_hours, into="spans") -%}
    {#-
        CTEs that end in `spans (person_id, starts_at, ends_at)`: did `behavior`, then for
        `wait_hours` neither that again nor `ends_with`. The span begins when the wait is over and
        ends at `ends_with`, at the latest `window_hours` after the behavior.
        Reads the import CTE `behavior_events`.
    -#}
    {{ into }}_moments as (
        select
            person_id,
            behavior,
            occurred_at
        from behavior_events
        where
            behavior in ('{{ behavior }}', '{{ ends_with }}')
            and person_id is not null
    ),

    {{ into }}_followed as (
        select
            person_id,
            behavior,
            {{ dbt.dateadd("hour", wait_hours, "occurred_at") }} as starts_at,
            {{ dbt.dateadd("hour", window_hours, "occurred_at") }} as runs_out_at,
            lead(occurred_at) over (
                partition by person_id
                order by occurred_at
            ) as next_moment_at,
            min(case when behavior = '{{ ends_with }}' then occurred_at end) over (
                partition by person_id
                order by occurred_at
                range between current row and unbounded following
            ) as ended_at
        from {{ into }}_moments
    ),

    {{ into }} as (
        select
            person_id,
            starts_at,
            case when ended_at < runs_out_at then ended_at else runs_out_at end as ends_at
        from {{ into }}_followed
        where
            behavior = '{{ behavior }}'
            and (next_moment_at is null or next_moment_at >= starts_at)
    )
{%- endmacro %}
