with

weeks as (
    select * from {{ ref("fct_review_weeks") }}
),

journey_weeks as (
    select * from {{ ref("fct_review_journey_weeks") }}
),

checkout_weeks as (
    select * from {{ ref("int_review__checkout_weeks") }}
),

journeys as (
    select distinct
        workspace_id,
        journey_id
    from journey_weeks
),

-- A week in which nothing happened is a week too, or a line would jump over it.
told as (
    select
        -- ids
        journeys.workspace_id,
        journeys.journey_id,
        -- attributes
        checkout_weeks.drop_step,
        -- numbers
        weeks.weeks_ago,
        {%- for name in ["entries", "real", "ghost", "none", "clicked"] %}
        coalesce(journey_weeks.count_{{ name }}, 0) as count_{{ name }},
        {%- endfor %}
        journey_weeks.click_through,
        {%- for name in ["completed", "converted", "started", "dropped"] %}
        coalesce(checkout_weeks.count_{{ name }}, 0) as count_{{ name }},
        {%- endfor %}
        cast(checkout_weeks.count_converted as double) / nullif(checkout_weeks.count_completed, 0)
            as conversion_rate,
        cast(checkout_weeks.count_dropped as double) / nullif(checkout_weeks.count_started, 0)
            as dropped_share,
        -- timestamps
        weeks.starts_at
    from journeys
    cross join weeks
    left join journey_weeks
        on
            journeys.workspace_id = journey_weeks.workspace_id
            and journeys.journey_id = journey_weeks.journey_id
            and weeks.weeks_ago = journey_weeks.weeks_ago
    left join checkout_weeks
        on
            journeys.workspace_id = checkout_weeks.workspace_id
            and journeys.journey_id = checkout_weeks.journey_id
            and weeks.weeks_ago = checkout_weeks.weeks_ago
)

select * from told
