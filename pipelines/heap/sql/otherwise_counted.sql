-- What Heap was told and is otherwise now, by event and what differs. Of an identity, and of what is
-- different in nearly every row, only the count is told.
with

otherwise as (
    select * from {heap_told_otherwise}
),

grouped as (
    select
        event,
        what,
        case when what in ('event', 'arm', 'segments', 'intent_tier') then told end as told,
        case when what in ('event', 'arm', 'segments', 'intent_tier') then true_now end as true_now,
        count(distinct publish_key) as count_events,
        min(since) as since
    from otherwise
    group by all
)

select * from grouped
order by count_events desc, event asc, what asc, told asc, true_now asc
