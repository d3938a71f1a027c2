with

persons as (
    select *
    from {dim_persons}
    where $workspace is null or workspace_id = $workspace
),

candidates as (
    select
        person_id,
        heap_spelling,
        is_held_now
    from {int_identity__candidates}
    where identifier_type = $to and not is_too_long
),

heap_users as (
    select
        held_now.person_id,
        held_now.identifier as heap_user_id,
        synced.heap_identity
    from {map_identifiers} as held_now
    inner join {int_identity__heap_users} as synced
        on held_now.identifier = synced.heap_user_id
    where held_now.identifier_type = 'heap_user_id' and held_now.valid_to is null
),

proposed as (
    select
        persons.person_id,
        persons.workspace_id,
        persons.heap_identity as old_identity,
        persons.is_publishable,
        candidates.heap_spelling as new_identity
    from persons
    left join candidates on persons.person_id = candidates.person_id
    where persons.is_publishable or candidates.is_held_now
),

-- Also with somebody alive who may not be told today: then neither could be.
collisions as (
    select new_identity
    from proposed
    where new_identity is not null
    group by new_identity
    having count(*) > 1
),

counted_users as (
    select
        proposed.person_id,
        count(heap_users.heap_user_id) as count_heap_users,
        count(case when heap_users.heap_identity is null then 1 end) as count_movable,
        count(
            case when heap_users.heap_identity <> proposed.new_identity then 1 end
        ) as count_other_users
    from proposed
    left join heap_users on proposed.person_id = heap_users.person_id
    group by proposed.person_id
)

select
    proposed.person_id,
    proposed.workspace_id,
    proposed.old_identity,
    proposed.new_identity,
    case
        when proposed.new_identity is null then 'orphaned'
        when collisions.new_identity is not null then 'collided'
        when proposed.new_identity = proposed.old_identity then 'unchanged'
        else 'mapped'
    end as outcome,
    counted_users.count_heap_users,
    counted_users.count_movable,
    counted_users.count_other_users
from proposed
left join collisions on proposed.new_identity = collisions.new_identity
left join counted_users on proposed.person_id = counted_users.person_id
where proposed.is_publishable
order by proposed.person_id
