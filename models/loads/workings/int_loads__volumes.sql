{%- set days = var("loads_volume_days") -%}
with

daily_counts as (
    select * from {{ ref("int_loads__daily_counts") }}
),

inputs as (
    select
        input_id,
        max(days_before) as first_days_before
    from daily_counts
    group by input_id
),

-- The recent one is 0
periods as (
    {%- for period in range(var("loads_volume_periods") + 1) %}
    select {{ period }} as period
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

counted as (
    select
        input_id,
        cast(floor(days_before / {{ days }}.0) as {{ dbt.type_bigint() }}) as period,
        sum(count_rows) as count_rows
    from daily_counts
    group by input_id, cast(floor(days_before / {{ days }}.0) as {{ dbt.type_bigint() }})
),

-- Whole periods since the first row; one in which nothing came is a period too
filled as (
    select
        inputs.input_id,
        periods.period,
        coalesce(counted.count_rows, 0) as count_rows,
        {{ days }} * (periods.period + 1) <= inputs.first_days_before + 1 as is_whole
    from inputs
    cross join periods
    left join counted
        on
            inputs.input_id = counted.input_id
            and periods.period = counted.period
),

ranked as (
    select
        input_id,
        count_rows,
        row_number() over (partition by input_id order by count_rows, period) as place,
        count(*) over (partition by input_id) as count_periods
    from filled
    where
        period > 0
        and is_whole
),

-- The median: a week of sales does not make the next one a fall
usual as (
    select
        input_id,
        max(count_periods) as count_periods,
        avg(
            case
                when 2 * place between count_periods and count_periods + 2
                    then cast(count_rows as double)
            end
        ) as usual_rows
    from ranked
    group by input_id
),

joined as (
    select
        filled.input_id,
        filled.count_rows as recent_rows,
        usual.usual_rows,
        coalesce(usual.count_periods, 0) as count_periods
    from filled
    left join usual
        on filled.input_id = usual.input_id
    where filled.period = 0
)

select * from joined
