-- What the ledger has against a row that the marts would send; a null verdict is sent.
create or replace temp table judged as
select
    model,
    publish_key,
    heap_identity,
    occurred_at,
    count_cut,
    case
        when is_moved then 'moved'
        when {forbidden} is not null then 'refused: ' || {forbidden}
        when
            publish_key in (
                select open_dead_letters.publish_key
                from open_dead_letters
                where open_dead_letters.kind = 'event'
            )
            then 'dead letter'
    end as verdict
from candidates
