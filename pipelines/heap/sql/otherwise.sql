-- What Heap was told and is otherwise now, one row per receipt and thing that differs. What was found
-- before keeps its first instant.
create or replace temp table otherwise as
with

differing as (
    select
        event_rows.publish_key,
        receipts.told,
        {told_part} as told_now
    from ({event_rows}) as event_rows
    inner join receipts
        on event_rows.publish_key = receipts.publish_key
    where receipts.target = (select asked.target from asked)
),

names as (
    select
        publish_key,
        unnest(list_distinct(
            json_keys(told, '$.properties') || json_keys(told_now, '$.properties')
        )) as name
    from differing
),

refusals as (
    select
        publish_key,
        min(reason) as reason
    from {refusals}
    group by publish_key
),

gone as (
    select told_events.*
    from told_events
    anti join told_now
        on told_events.publish_key = told_now.publish_key
),

found as (
    select
        gone.publish_key,
        'event' as what,
        gone.event as told,
        coalesce(
            refusals.reason,
            case when ghosts.delivery_id is not null then 'found to be a ghost' end,
            'no longer in the Heap marts'
        ) as true_now
    from gone
    left join refusals
        on gone.publish_key = refusals.publish_key
    left join receipts
        on
            gone.publish_key = receipts.publish_key
            and receipts.target = (select asked.target from asked)
    left join ({ghosts}) as ghosts
        on json_extract_string(receipts.told, '$.properties.delivery_id') = ghosts.delivery_id
    union all
    select
        publish_key,
        'identity' as what,
        heap_identity as told,
        identity_now as true_now
    from told_now
    where heap_identity is distinct from identity_now
    union all
    select
        publish_key,
        'timestamp' as what,
        json_extract_string(told, '$.timestamp') as told,
        json_extract_string(told_now, '$.timestamp') as true_now
    from differing
    union all
    select
        names.publish_key,
        names.name as what,
        json_extract_string(differing.told, '$.properties.' || names.name) as told,
        json_extract_string(differing.told_now, '$.properties.' || names.name) as true_now
    from names
    inner join differing
        on names.publish_key = differing.publish_key
)

select
    found.publish_key,
    told_events.heap_identity,
    told_events.event,
    found.what,
    found.told,
    found.true_now,
    coalesce(heap_told_otherwise.since, {as_of}) as since,
    told_events.acknowledged_at,
    told_events.plan_id,
    (select asked.target from asked) as target
from found
inner join told_events
    on found.publish_key = told_events.publish_key
left join heap_told_otherwise
    on
        found.publish_key = heap_told_otherwise.publish_key
        and found.what = heap_told_otherwise.what
        and heap_told_otherwise.target = (select asked.target from asked)
where found.told is distinct from found.true_now
