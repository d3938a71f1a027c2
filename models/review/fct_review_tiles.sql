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

silent_weeks as (
    select
        workspace_id,
        weeks_ago,
        max(case when need = 'entries' then 1 else 0 end) = 1 as lacks_entries,
        max(case when need in ('messages', 'outcomes') then 1 else 0 end) = 1 as lacks_messages,
        max(case when need = 'checkouts' then 1 else 0 end) = 1 as lacks_checkouts
    from {{ ref("int_review__silent_weeks") }}
    group by workspace_id, weeks_ago
),

journeys as (
    select distinct
        workspace_id,
        journey_id
    from journey_weeks
),

-- A week in which nothing happened is a week too, or a line would jump over it. Of one without data
-- nobody knows whether anything happened.
told as (
    select
        -- ids
        journeys.workspace_id,
        journeys.journey_id,
        -- attributes
        case
            when silent_weeks.lacks_checkouts then null else checkout_weeks.drop_step
        end as drop_step,
        -- numbers
        weeks.weeks_ago,
        case
            when silent_weeks.lacks_entries then null else coalesce(journey_weeks.count_entries, 0)
        end as count_entries,
        {%- for name in ["real", "ghost", "none", "clicked"] %}
        case
            when silent_weeks.lacks_messages then null else coalesce(journey_weeks.count_{{ name }}, 0)
        end as count_{{ name }},
        {%- endfor %}
        case
            when silent_weeks.lacks_messages then null else journey_weeks.click_through
        end as click_through,
        {%- for name in ["completed", "converted", "started", "dropped"] %}
        case
            when silent_weeks.lacks_checkouts then null else coalesce(checkout_weeks.count_{{ name }}, 0)
        end as count_{{ name }},
        {%- endfor %}
        case
            when silent_weeks.lacks_checkouts then null
            else
                cast(checkout_weeks.count_converted as double)
                / nullif(checkout_weeks.count_completed, 0)
        end as conversion_rate,
        case
            when silent_weeks.lacks_checkouts then null
            else
                cast(checkout_weeks.count_dropped as double) / nullif(checkout_weeks.count_started, 0)
        end as dropped_share,
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
    left join silent_weeks
        on
            journeys.workspace_id = silent_weeks.workspace_id
            and weeks.weeks_ago = silent_weeks.weeks_ago
)

select * from told
