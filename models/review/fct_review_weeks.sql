{#- Never fewer than two: the page tells a week beside the week before it. -#}
with

weeks as (
    {%- for number in range(1, ([var("review_trend_weeks"), 2] | max) + 1) %}
    select
        cast({{ number }} as {{ dbt.type_bigint() }}) as weeks_ago,
        {{ week_start(number) }} as starts_at,
        {{ week_start(number - 1) }} as ends_at
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
)

select * from weeks
