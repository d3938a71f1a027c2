-- When people of a category reorder: the curve counted from its gaps (Kaplan-Meier), day by day.
with

gaps as (
    select
        gap_days,
        is_completed
    from {int_insight__reorder_gaps}
    where
        workspace_id is not distinct from $workspace_id
        and ($is_all_categories or category is not distinct from $category)
),

days as (
    select
        gap_days,
        count(*) filter (is_completed) as count_reorders,
        count(*) as count_gaps
    from gaps
    group by gap_days
),

at_risk as (
    select
        *,
        sum(count_gaps) over (order by gap_days desc) as count_at_risk
    from days
),

curve as (
    select
        gap_days,
        product(1 - count_reorders / count_at_risk) over (order by gap_days) as survival
    from at_risk
),

counted as (
    select
        count(*) as count_rows,
        count(*) as count_gaps,
        count(*) filter (is_completed) as count_reorders,
        median(gap_days) filter (is_completed) as naive_median_days
    from gaps
)

select
    counted.*,
    min(curve.survival) as survival_at_end,
    min(curve.gap_days) filter (curve.survival <= 0.75 + 1e-9) as quartile_day,
    min(curve.gap_days) filter (curve.survival <= 0.5 + 1e-9) as median_day,
    min(curve.gap_days) filter (curve.survival <= 0.4 + 1e-9) as sixtieth_percentile_day
from counted
left join curve on true
group by all
