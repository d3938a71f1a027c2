-- The two lines about the ledger as it is now, in the shape of fct_checklist: it changes after the
-- build. Beside the warehouse, the ledger is attached as `ledger`.
with

lines as (
    select * from {fct_checklist}
),

dead_letters as (
    select * from ledger.dead_letters
),

receipts as (
    select * from ledger.receipts
),

heap_events as (
    select * from {stg_heap__events}
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

measured_now as (
    select
        'dead_letters' as line,
        format('{:,} open, {:,} settled', count_open, count_settled) as measured,
        count_open as value,
        0 as bound,
        count_open = 0 as is_met
    from counted_letters
    union all
    select
        'read_back' as line,
        case
            when count_receipts = 0 then 'no receipt is older than the read-back'
            else format('{:,} of {:,} receipts found', count_found, count_receipts)
        end as measured,
        count_found as value,
        count_receipts as bound,
        case when count_receipts > 0 then count_found = count_receipts end as is_met
    from counted_receipts
),

judged as (
    select
        lines.*,
        measured_now.measured as measured_now,
        case
            when measured_now.is_met is null then 'not applicable'
            when measured_now.is_met then 'ok'
            when lines.waiver_owner is not null then 'waived'
            else 'fail'
        end as verdict_now
    from lines
    inner join measured_now on lines.line = measured_now.line
)

select
    line,
    verdict_now as verdict,
    measured_now as measured,
    concat(title, ': ', measured_now, ' (', threshold, ').', case verdict_now
        when 'fail' then ' ' || advice
        when 'waived' then concat(' Waived by ', waiver_owner, ' until ', waiver_expires_on, ': ', waiver_reason)
        else ''
    end) as sentence
from judged
