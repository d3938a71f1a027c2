-- Kaplan and Meier: of those who had waited so long, who reordered that day. The product of what
-- is left is a sum of logarithms; on a day that empties the group it is zero, whose logarithm is
-- none.
with

gaps as (
    select * from {{ ref("int_insight__reorder_gaps") }}
),

-- Every category, and all of them together for those with too few gaps of their own.
widened as (
    select
        workspace_id,
        category,
        false as is_all_categories,
        gap_days,
        is_completed
    from gaps
    union all
    select
        workspace_id,
        'all categories' as category,
        true as is_all_categories,
        gap_days,
        is_completed
    from gaps
),

days as (
    select
        workspace_id,
        category,
        is_all_categories,
        gap_days,
        sum(case when is_completed then 1 else 0 end) as count_reorders,
        sum(case when is_completed then 0 else 1 end) as count_censored,
        count(*) as count_gaps
    from widened
    group by workspace_id, category, is_all_categories, gap_days
),

waiting as (
    select
        *,
        sum(count_gaps) over (
            partition by workspace_id, is_all_categories, category
            order by gap_days desc
            rows between unbounded preceding and current row
        ) as count_at_risk
    from days
),

survived as (
    select
        *,
        sum(
            case
                when count_reorders < count_at_risk
                    then ln(1.0 - count_reorders / cast(count_at_risk as double))
                else 0.0
            end
        ) over (
            partition by workspace_id, is_all_categories, category
            order by gap_days
            rows between unbounded preceding and current row
        ) as log_survival,
        max(case when count_reorders >= count_at_risk then 1 else 0 end) over (
            partition by workspace_id, is_all_categories, category
            order by gap_days
            rows between unbounded preceding and current row
        ) as is_emptied
    from waiting
),

curve as (
    select
        -- ids
        workspace_id,
        category,
        -- numbers
        gap_days,
        cast(count_at_risk as {{ dbt.type_bigint() }}) as count_at_risk,
        cast(count_reorders as {{ dbt.type_bigint() }}) as count_reorders,
        cast(count_censored as {{ dbt.type_bigint() }}) as count_censored,
        case when is_emptied = 1 then 0.0 else exp(log_survival) end as survival,
        -- flags
        is_all_categories
    from survived
)

select * from curve
