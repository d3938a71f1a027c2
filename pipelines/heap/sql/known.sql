-- What the ledger knows of one target, and what an open intent left uncertain.
create or replace temp table asked as
select cast({target} as varchar) as target;

-- What Heap was, or may have been, told under a key that the event no longer has.
create or replace temp table known_earlier as
with

told as (
    select
        publish_key,
        heap_identity
    from receipts
    where target = (select asked.target from asked)
    union
    select
        publish_key,
        heap_identity
    from intents
    where
        target = (select asked.target from asked)
        and publish_key is not null
)

select
    earlier.publish_key,
    min(told.heap_identity) as heap_identity
from {earlier_keys} as earlier
inner join told
    on earlier.earlier_publish_key = told.publish_key
where
    not exists (
        select 1
        from told as under_own_key
        where under_own_key.publish_key = earlier.publish_key
    )
group by earlier.publish_key;

create or replace temp view known_receipts as
select
    publish_key,
    heap_identity
from receipts
where target = (select asked.target from asked)
union all
select
    publish_key,
    heap_identity
from known_earlier;

create or replace temp table uncertain as
select
    publish_key,
    min(heap_identity) as heap_identity
from intents
where
    target = (select asked.target from asked)
    and publish_key is not null
group by publish_key;

create or replace temp table uncertain_properties as
select
    heap_identity,
    property,
    bool_or(is_true) as is_true
from intents
where
    target = (select asked.target from asked)
    and property is not null
group by heap_identity, property;

create or replace temp view known_properties as
select
    property_state.heap_identity,
    property_state.property,
    case when uncertain_properties.property is null then property_state.value_hash end as value_hash,
    property_state.is_true or coalesce(uncertain_properties.is_true, false) as is_true
from property_state
left join uncertain_properties
    on
        property_state.heap_identity = uncertain_properties.heap_identity
        and property_state.property = uncertain_properties.property
where property_state.target = (select asked.target from asked)
union all
select
    heap_identity,
    property,
    null as value_hash,
    is_true
from uncertain_properties
where
    not exists (
        select 1
        from property_state
        where
            property_state.heap_identity = uncertain_properties.heap_identity
            and property_state.property = uncertain_properties.property
            and property_state.target = (select asked.target from asked)
    );

create or replace temp table open_dead_letters as
select
    publish_key,
    kind,
    row_hash
from dead_letters
where
    target = (select asked.target from asked)
    and status = 'open';
