-- A message, counted from its deliveries.
with

deliveries as (
    {people}
),

told as (
    select
        *,
        coalesce(sent_at, delivered_at, created_at) as told_at,
        exposure_kind = 'real' and human_clicked_at is not null as is_clicked
    from deliveries
),

placed as (
    select
        *,
        told_at >= $as_of - interval 7 day as is_week,
        told_at < $as_of - interval 7 day and told_at >= $as_of - interval 14 day as is_previous_week
    from told
)

select
    count(*) as count_rows,
    count(*) filter (exposure_kind = 'real') as count_real,
    count(*) filter (exposure_kind = 'ghost') as count_ghost,
    count(*) filter (exposure_kind = 'none') as count_none,
    count(*) filter (is_clicked) as count_clicked,
    count(*) filter (is_clicked)
    / nullif(count(*) filter (exposure_kind = 'real'), 0) as click_through,
    count(*) filter (is_week) as count_messages_week,
    count(*) filter (exposure_kind = 'real' and is_week) as count_real_week,
    count(*) filter (exposure_kind = 'ghost' and is_week) as count_ghost_week,
    count(*) filter (exposure_kind = 'none' and is_week) as count_none_week,
    count(*) filter (is_clicked and is_week) as count_clicked_week,
    count(*) filter (is_clicked and is_week)
    / nullif(count(*) filter (exposure_kind = 'real' and is_week), 0) as click_through_week,
    count(*) filter (is_previous_week) as count_messages_previous_week,
    count(*) filter (exposure_kind = 'real' and is_previous_week) as count_real_previous_week,
    count(*) filter (exposure_kind = 'ghost' and is_previous_week) as count_ghost_previous_week,
    count(*) filter (exposure_kind = 'none' and is_previous_week) as count_none_previous_week,
    count(*) filter (is_clicked and is_previous_week) as count_clicked_previous_week,
    count(*) filter (is_clicked and is_previous_week)
    / nullif(count(*) filter (exposure_kind = 'real' and is_previous_week), 0) as click_through_previous_week,
    {more}
from placed
