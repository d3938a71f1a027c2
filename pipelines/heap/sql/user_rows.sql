-- One row per identity with something to hear, as it is sent; a null verdict is sent.
create or replace temp table user_rows as
with

grouped as (
    select
        heap_identity,
        '{"identity":' || cast(to_json(heap_identity) as varchar) || ',"properties":{'
        || string_agg(cast(to_json(property) as varchar) || ':' || json, ',' order by property)
        || '}}' as line
    from changes
    group by heap_identity
)

select
    heap_identity,
    line,
    case
        when {forbidden} is not null then 'refused: ' || {forbidden}
        else {waiting}
    end as verdict
from grouped
