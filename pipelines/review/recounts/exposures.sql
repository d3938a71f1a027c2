-- The messages of a journey, counted from its deliveries.
with

deliveries as (
    select
        *,
        coalesce(sent_at, delivered_at, created_at) as told_at,
        exposure_kind = 'real' and human_clicked_at is not null as is_clicked
    from {fct_message_exposures}
    where
        workspace_id = $workspace_id
        and journey_id = $journey_id
        and message_type not in ('newsletter', 'transactional')
),

placed as (
    select
        *,
        told_at >= $as_of - interval 7 day as is_week,
        told_at < $as_of - interval 7 day and told_at >= $as_of - interval 14 day as is_previous_week
    from deliveries
),

counted as (
    select
        count(*) as count_rows,
        count(*) filter (exposure_kind = 'real') as count_real,
        count(*) filter (exposure_kind = 'ghost') as count_ghost,
        count(*) filter (exposure_kind = 'none') as count_none,
        count(*) filter (is_clicked) as count_clicked,
        count(*) filter (is_clicked)
        / nullif(
            count(*) filter (exposure_kind = 'real'), 0
        ) as click_through,
        count(*) filter (exposure_kind = 'real' and is_week) as count_real_week,
        count(*) filter (exposure_kind = 'ghost' and is_week) as count_ghost_week,
        count(*) filter (exposure_kind = 'none' and is_week) as count_none_week,
        count(*) filter (is_clicked and is_week) as count_clicked_week,
        count(*) filter (is_clicked and is_week)
        / nullif(
            count(*) filter (exposure_kind = 'real' and is_week), 0
        ) as click_through_week,
        count(*) filter (exposure_kind = 'real' and is_previous_week) as count_real_previous_week,
        count(*) filter (exposure_kind = 'ghost' and is_previous_week) as count_ghost_previous_week,
        count(*) filter (exposure_kind = 'none' and is_previous_week) as count_none_previous_week,
        count(*) filter (is_clicked and is_previous_week) as count_clicked_previous_week,
        count(*) filter (is_clicked and is_previous_week)
        / nullif(
            count(*) filter (exposure_kind = 'real' and is_previous_week), 0
        ) as click_through_previous_week,
        count(*) filter (
            exposure_kind = 'real' and told_at >= (select min(starts_at) from {fct_review_weeks})
        ) as count_real_trend,
        count(*) filter (
            exposure_kind = 'ghost' and told_at >= (select min(starts_at) from {fct_review_weeks})
        ) as count_ghost_trend,
        count(*) filter (
            exposure_kind = 'none' and told_at >= (select min(starts_at) from {fct_review_weeks})
        ) as count_none_trend
    from placed
)

-- a change against too few is not told
select
    *,
    case
        when $change_real is not null
            then (count_real_week - count_real_previous_week) / count_real_previous_week
    end as change_real,
    case
        when $change_ghost is not null
            then (count_ghost_week - count_ghost_previous_week) / count_ghost_previous_week
    end as change_ghost,
    case
        when $change_none is not null
            then (count_none_week - count_none_previous_week) / count_none_previous_week
    end as change_none
from counted
