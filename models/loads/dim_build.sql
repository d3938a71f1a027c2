with

built as (
    select
        'current' as build_id,
        {{ as_of() }} as as_of
)

select * from built
