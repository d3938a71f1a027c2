{% set events = var("heap_events_per_month") %}

with

budgets as (
    select
        'events per month' as budget,
        cast({{ "null" if events is none else events }} as {{ dbt.type_bigint() }}) as most
)

select * from budgets
