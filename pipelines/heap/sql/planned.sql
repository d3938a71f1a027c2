create or replace temp table planned as
select
    model,
    publish_key,
    heap_identity,
    occurred_at,
    count_cut,
    {place_of_row} as place
from judged
where verdict is null
