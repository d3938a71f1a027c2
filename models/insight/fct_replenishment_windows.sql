with

curves as (
    select * from {{ ref("int_insight__reorder_curves") }}
),

gaps as (
    select * from {{ ref("int_insight__reorder_gaps") }}
),

-- The shares are what the columns are named after (a quarter, half and three fifths have reordered),
-- no limits that could be set. The tolerance is for the rounding of logarithms, not for the data.
read as (
    select
        workspace_id,
        category,
        is_all_categories,
        sum(count_reorders + count_censored) as count_gaps,
        sum(count_reorders) as count_reorders,
        min(survival) as survival_at_end,
        min(case when survival <= 0.75 + 1e-9 then gap_days end) as quartile_day,
        min(case when survival <= 0.5 + 1e-9 then gap_days end) as median_day,
        min(case when survival <= 0.4 + 1e-9 then gap_days end) as sixtieth_percentile_day
    from curves
    group by workspace_id, category, is_all_categories
),

completed as (
    select
        workspace_id,
        category,
        false as is_all_categories,
        gap_days
    from gaps
    where is_completed
    union all
    select
        workspace_id,
        'all categories' as category,
        true as is_all_categories,
        gap_days
    from gaps
    where is_completed
),

ranked as (
    select
        *,
        row_number() over (
            partition by workspace_id, is_all_categories, category
            order by gap_days
        ) as place,
        count(*) over (partition by workspace_id, is_all_categories, category) as count_completed
    from completed
),

naive as (
    select
        workspace_id,
        category,
        is_all_categories,
        avg(cast(gap_days as double)) as naive_median_days
    from ranked
    where place * 2 between count_completed and count_completed + 2
    group by workspace_id, category, is_all_categories
),

parents as (
    select
        workspace_id,
        count_reorders as count_reorders_of_all,
        quartile_day as quartile_day_of_all,
        median_day as median_day_of_all
    from read
    where is_all_categories
),

based as (
    select
        read.*,
        naive.naive_median_days,
        parents.quartile_day_of_all,
        parents.median_day_of_all,
        case
            when read.count_reorders >= {{ var("insight_minimum_gaps") }} then 'own gaps'
            when
                not read.is_all_categories
                and parents.count_reorders_of_all >= {{ var("insight_minimum_gaps") }}
                then 'all categories'
            else 'none'
        end as basis
    from read
    inner join parents
        on read.workspace_id = parents.workspace_id
    left join naive
        on
            read.workspace_id = naive.workspace_id
            and read.category = naive.category
            and read.is_all_categories = naive.is_all_categories
),

suggested as (
    select
        *,
        case basis
            when 'own gaps' then quartile_day
            when 'all categories' then quartile_day_of_all
        end as trigger_day,
        case basis
            when 'own gaps' then median_day
            when 'all categories' then median_day_of_all
        end as window_end_day
    from based
),

judged as (
    select
        -- ids
        workspace_id,
        category,
        -- attributes
        basis,
        case
            when basis = 'none' or trigger_day is null or window_end_day is null
                then 'insufficient'
            else 'ok'
        end as status,
        {{ sorted_codes({
            "few_gaps": "basis <> 'own gaps'",
            "quartile_not_reached": "basis <> 'none' and trigger_day is null",
            "median_not_reached": "basis <> 'none' and window_end_day is null",
        }) }} as reasons,
        -- numbers
        cast(count_gaps as {{ dbt.type_bigint() }}) as count_gaps,
        cast(count_reorders as {{ dbt.type_bigint() }}) as count_reorders,
        quartile_day,
        median_day,
        sixtieth_percentile_day,
        naive_median_days,
        survival_at_end,
        trigger_day,
        window_end_day,
        -- flags
        is_all_categories
    from suggested
)

select * from judged
