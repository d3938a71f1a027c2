with told as (
    select
        heap_identity,
        target
    from receipts
    union
    select
        heap_identity,
        target
    from property_state
    union
    select
        heap_identity,
        target
    from property_changes
    union
    select
        heap_identity,
        target
    from intents
)

select
    told.heap_identity,
    coalesce(told.target, '') as told_target,
    coalesce(targets.app, 'unknown') as app,
    coalesce(targets.region, 'unknown') as region,
    coalesce(targets.is_local, false) as is_local
from told
left join targets on told.target = targets.target
where
    told.heap_identity in (select unnest(cast($1 as varchar[])))
    or (
        contains(told.heap_identity, '@')
        and lower(told.heap_identity) in (select unnest(cast($2 as varchar[])))
    )
order by told.heap_identity, told_target
