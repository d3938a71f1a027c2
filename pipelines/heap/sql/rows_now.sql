-- The rows of a plan as a fresh one would say them.
create or replace temp table rows_now as
select
    publish_key as row_key,
    md5(line) as digest
from ({event_rows})
union all
select
    {user_key} as row_key,
    md5(line) as digest
from user_rows
where
    verdict is null
    and {user_key} in (select plan_rows.row_key from plan_rows)
