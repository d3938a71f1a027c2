{% set events_per_month = var("heap_events_per_month") %}

with

budgets as (
    select
        'events per month' as budget,
        cast({{ "null" if events_per_month is none else events_per_month }} as {{ dbt.type_bigint() }}) as most
)

select * from budgets
