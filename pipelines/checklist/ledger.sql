-- What the four lines about the ledger measure now: it changes after the build. Beside the warehouse,
-- the ledger is attached as `ledger`. What an answer means says int_checklist__ledger_answers.
with

dead_letters as (
    select * from ledger.dead_letters
),

receipts as (
    select * from ledger.receipts
),

told_otherwise as (
    select * from ledger.heap_told_otherwise
),

heap_events as (
    select * from {stg_heap__events}
),

landings as (
    select * from ledger.audience_landings
),

counted_landings as (
    select
        coalesce(sum(count_told), 0) as count_told,
        coalesce(sum(count_landed), 0) as count_landed,
        coalesce(sum(count_missing), 0) as count_missing,
        coalesce(sum(count_foreign), 0) as count_foreign,
        count(*) as count_read
    from landings
),

counted_letters as (
    select
        count(case when status = 'open' then 1 end) as count_open,
        count(case when status <> 'open' then 1 end) as count_settled
    from dead_letters
),

read_back as (
    select distinct publish_key
    from heap_events
    where publish_key is not null
),

-- Only receipts that the read-back could hold: older than its last event.
last_read as (
    select max(occurred_at) as occurred_at from heap_events
),

counted_receipts as (
    select
        count(*) as count_receipts,
        count(read_back.publish_key) as count_found
    from receipts
    inner join last_read on receipts.acknowledged_at < last_read.occurred_at
    left join read_back on receipts.publish_key = read_back.publish_key
    where receipts.kind = 'event'
),

counted_otherwise as (
    select
        (select count(distinct publish_key) from told_otherwise) as count_otherwise,
        count(*) as count_told
    from receipts
    where kind = 'event'
),

measured_now as (
    select
        'dead_letters' as line,
        format('{:,} open, {:,} settled', count_open, count_settled) as measured,
        count_open as value,
        count_open = 0 as is_met
    from counted_letters
    union all
    select
        'read_back' as line,
        case
            when count_receipts = 0 then 'no event was published before Heap Connect was last loaded'
            else format('{:,} of {:,} receipts found', count_found, count_receipts)
        end as measured,
        count_found as value,
        case when count_receipts > 0 then count_found = count_receipts end as is_met
    from counted_receipts
    union all
    select
        'told_otherwise' as line,
        case
            when count_told = 0 then 'no event was told yet'
            else format('{:,} of {:,} events are otherwise now', count_otherwise, count_told)
        end as measured,
        count_otherwise as value,
        case when count_told > 0 then count_otherwise = 0 end as is_met
    from counted_otherwise
    union all
    select
        'landed' as line,
        case
            when count_read = 0 then 'no segment of Customer.io was read back (load with --app-api)'
            else format(
                '{:,} of {:,} landed, {:,} added by others',
                cast(count_landed as bigint), cast(count_told as bigint), cast(count_foreign as bigint)
            )
        end as measured,
        count_missing as value,
        case when count_read > 0 then count_missing = 0 end as is_met
    from counted_landings
)

select * from measured_now
