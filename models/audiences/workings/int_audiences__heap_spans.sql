-- A sync says who entered and who left since the one before; entering twice is entering once. Of a whole list
-- whoever is missing has left.
with

syncs as (
    select * from {{ ref("int_audiences__heap_syncs") }}
    where is_complete
),

changes as (
    select * from {{ ref("stg_heap__segment_changes") }}
),

identifiers as (
    select * from {{ ref("map_identifiers") }}
),

rules as (
    select * from {{ ref("int_identity__rules") }}
    where
        is_linking
        and identifier_type in ('customer_id', 'email')
),

dated as (
    select
        changes.heap_segment_id,
        changes.customer_id,
        changes.email,
        syncs.sync_task_id,
        changes.is_added,
        syncs.synced_at as occurred_at
    from changes
    inner join syncs
        on
            changes.heap_segment_id = syncs.heap_segment_id
            and changes.sync_task_id = syncs.sync_task_id
),

ever_told as (
    select distinct
        heap_segment_id,
        customer_id,
        email
    from dated
),

missing as (
    select
        ever_told.heap_segment_id,
        ever_told.customer_id,
        ever_told.email,
        syncs.sync_task_id,
        false as is_added,
        syncs.synced_at as occurred_at
    from ever_told
    inner join syncs
        on
            ever_told.heap_segment_id = syncs.heap_segment_id
            and syncs.is_whole_list
    left join dated
        on
            ever_told.heap_segment_id = dated.heap_segment_id
            and ever_told.customer_id = dated.customer_id
            and syncs.sync_task_id = dated.sync_task_id
    where dated.customer_id is null
),

said as (
    select * from dated
    union all
    select * from missing
),

-- of two syncs at one instant the one whose id sorts last counts
followed as (
    select
        *,
        lag(is_added) over (
            partition by heap_segment_id, customer_id
            order by occurred_at, sync_task_id
        ) as was_added
    from said
),

turned as (
    select
        *,
        lead(occurred_at) over (
            partition by heap_segment_id, customer_id
            order by occurred_at, sync_task_id
        ) as turned_at
    from followed
    where is_added is distinct from coalesce(was_added, false)
),

entered as (
    select
        heap_segment_id,
        customer_id,
        email,
        sync_task_id,
        occurred_at,
        turned_at
    from turned
    where is_added
),

{{ holders_then("entered", ["heap_segment_id", "customer_id", "sync_task_id"]) }},

spans as (
    select
        entered.heap_segment_id,
        holders.workspace_id,
        -- whom nobody knows keeps apart from everybody, under a key that tells no id
        coalesce(holders.person_id, 'unknown:' || md5(entered.customer_id)) as member_id,
        holders.person_id,
        entered.occurred_at as starts_at,
        entered.turned_at as ends_at
    from entered
    left join holders
        on
            entered.heap_segment_id = holders.heap_segment_id
            and entered.customer_id = holders.customer_id
            and entered.sync_task_id = holders.sync_task_id
)

select * from spans
