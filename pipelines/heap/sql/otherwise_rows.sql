-- Rows that Heap was told in other words than a plan would use now. By digest, for there may be millions.
create or replace temp table told_again as
with

told as (
    select
        publish_key,
        md5(told) as digest
    from receipts
    where
        target = (select asked.target from asked)
        and told is not null
),

differing as (
    select event_rows.publish_key
    from ({event_rows}) as event_rows
    inner join told
        on event_rows.publish_key = told.publish_key
    where md5({told_part}) <> told.digest
)

select
    model,
    publish_key,
    heap_identity,
    identity_now,
    occurred_at,
    place
from told_now
where publish_key in (select differing.publish_key from differing)
