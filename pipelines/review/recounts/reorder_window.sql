-- When people of a category reorder: the curve counted from its gaps (Kaplan-Meier), day by day, beside that
-- of all categories, which speaks where a category has too few gaps.
with

gaps as (
    select
        kinds.is_own,
        gaps.gap_days,
        gaps.is_completed
    from {int_insight__reorder_gaps} as gaps
    inner join (values (true), (false)) as kinds (is_own)
        on
            not kinds.is_own
            or $is_all_categories
            or gaps.category is not distinct from $category
    where gaps.workspace_id is not distinct from $workspace_id
),

days as (
    select
        is_own,
        gap_days,
        count(*) filter (is_completed) as count_reorders,
        count(*) as count_gaps
    from gaps
    group by is_own, gap_days
),

at_risk as (
    select
        *,
        sum(count_gaps) over (partition by is_own order by gap_days desc) as count_at_risk
    from days
),

curve as (
    select
        is_own,
        gap_days,
        product(1 - count_reorders / count_at_risk) over (partition by is_own order by gap_days) as survival
    from at_risk
),

read as (
    select
        min(survival) filter (is_own) as survival_at_end,
        min(gap_days) filter (is_own and survival <= 0.75 + 1e-9) as quartile_day,
        min(gap_days) filter (is_own and survival <= 0.5 + 1e-9) as median_day,
        min(gap_days) filter (is_own and survival <= 0.4 + 1e-9) as sixtieth_percentile_day,
        min(gap_days) filter (not is_own and survival <= 0.75 + 1e-9) as quartile_day_of_all,
        min(gap_days) filter (not is_own and survival <= 0.5 + 1e-9) as median_day_of_all
    from curve
),

counted as (
    select
        count(*) filter (is_own) as count_rows,
        count(*) filter (is_own) as count_gaps,
        count(*) filter (is_own and is_completed) as count_reorders,
        count(*) filter (not is_own and is_completed) as count_reorders_of_all,
        median(gap_days) filter (is_own and is_completed) as naive_median_days
    from gaps
)

select
    counted.* exclude (count_reorders_of_all),
    read.* exclude (quartile_day_of_all, median_day_of_all),
    case
        when counted.count_reorders >= $insight_minimum_gaps then read.quartile_day
        when counted.count_reorders_of_all >= $insight_minimum_gaps then read.quartile_day_of_all
    end as trigger_day,
    case
        when counted.count_reorders >= $insight_minimum_gaps then read.median_day
        when counted.count_reorders_of_all >= $insight_minimum_gaps then read.median_day_of_all
    end as window_end_day
from counted
cross join read
