{% set events = var("heap_events_per_month") %}

with

budgets as (
    select
        'events per month' as budget,
        cast({{ "null" if events is none else events }} as {{ dbt.type_bigint() }}) as most
    union all
    select
        'uncertain answers in a row' as budget,
        cast({{ var("heap_uncertain_answers") }} as {{ dbt.type_bigint() }}) as most
    union all
    select
        'refused rows in a hundred' as budget,
        cast({{ var("heap_refused_percent") }} as {{ dbt.type_bigint() }}) as most
    union all
    select
        'refused rows of a small run' as budget,
        cast({{ var("heap_refused_rows") }} as {{ dbt.type_bigint() }}) as most
)

select * from budgets
