with

entries as (
    select * from {{ ref("fct_journey_entries") }}
),

deliveries as (
    select * from {{ ref("int_review__deliveries") }}
),

conversions as (
    select * from {{ ref("fct_goal_conversions") }}
),

united as (
    select
        workspace_id,
        journey_id,
        journey_name,
        {{ weeks_ago("entered_at") }} as weeks_ago,
        1 as count_entries,
        0 as count_real,
        0 as count_ghost,
        0 as count_none,
        0 as count_clicked,
        0 as count_claimed
    from entries
    union all
    select
        workspace_id,
        journey_id,
        journey_name,
        weeks_ago,
        0 as count_entries,
        count_real,
        count_ghost,
        count_none,
        count_clicked,
        0 as count_claimed
    from deliveries
    union all
    select
        workspace_id,
        journey_id,
        journey_name,
        {{ weeks_ago("converted_at") }} as weeks_ago,
        0 as count_entries,
        0 as count_real,
        0 as count_ghost,
        0 as count_none,
        0 as count_clicked,
        1 as count_claimed
    from conversions
),

counted as (
    select
        -- ids
        workspace_id,
        journey_id,
        -- attributes
        max(journey_name) as journey_name,
        -- numbers
        weeks_ago,
        {%- for name in ["entries", "real", "ghost", "none", "clicked", "claimed"] %}
        cast(sum(count_{{ name }}) as {{ dbt.type_bigint() }}) as count_{{ name }},
        {%- endfor %}
        cast(sum(count_clicked) as double) / nullif(sum(count_real), 0) as click_through
    from united
    where journey_id is not null
    group by workspace_id, journey_id, weeks_ago
),

dated as (
    select
        *,
        {{ week_start("weeks_ago") }} as starts_at
    from counted
)

select * from dated
