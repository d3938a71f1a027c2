create or replace temp table latest_changes as
select
    heap_identity,
    property,
    arg_max(value_hash, batch_id) as value_hash,
    max(acknowledged_at) as acknowledged_at,
    arg_max(is_true, batch_id) as is_true,
    arg_max(plan_id, batch_id) as plan_id,
    target
from property_changes
group by heap_identity, property, target;

delete from property_state
where exists (
    select 1
    from latest_changes
    where
        latest_changes.heap_identity = property_state.heap_identity
        and latest_changes.property = property_state.property
        and latest_changes.target = property_state.target
);

insert into property_state
select
    heap_identity,
    property,
    value_hash,
    acknowledged_at,
    is_true,
    plan_id,
    target
from latest_changes;

delete from property_changes;

drop table latest_changes;
