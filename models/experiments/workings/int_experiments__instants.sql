with

arms as (
    select * from {{ ref("int_experiments__arms") }}
),

digits as (
    {% for digit in range(10) -%}
    select {{ digit }} as digit
    {{ "union all" if not loop.last }}
    {% endfor %}
),

weeks as (
    select 100 * hundreds.digit + 10 * tens.digit + ones.digit + 1 as week_number
    from digits as hundreds
    cross join digits as tens
    cross join digits as ones
),

seasons as (
    select
        experiment_key,
        min(started_at) as started_at,
        max(
            coalesce(
                {{ dbt.dateadd("hour", "window_hours + 168", "ended_at") }},
                {{ as_of() }}
            )
        ) as read_until
    from arms
    where started_at > {{ epoch() }}
    group by experiment_key
),

weekly as (
    select
        seasons.experiment_key,
        {{ dbt.dateadd("day", "7 * weeks.week_number", "seasons.started_at") }} as read_at
    from seasons
    cross join weeks
    where
        {{ dbt.dateadd("day", "7 * weeks.week_number", "seasons.started_at") }} < {{ as_of() }}
        and {{ dbt.dateadd("day", "7 * weeks.week_number", "seasons.started_at") }}
        <= seasons.read_until
),

ranked as (
    select
        *,
        row_number() over (partition by experiment_key order by read_at desc) as recency
    from weekly
),

instants as (
    select
        experiment_key,
        read_at,
        false as is_current
    from ranked
    where recency <= {{ var("experiments_history_weeks") }}
    union all
    select distinct
        experiment_key,
        {{ as_of() }} as read_at,
        true as is_current
    from arms
)

select * from instants
