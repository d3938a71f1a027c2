with

shared as (
    select
        greatest(one.seen_from, other.seen_from) as shared_from,
        least(one.seen_to, other.seen_to) as shared_to
    from stays as one
    inner join stays as other
        on
            one.person_id = other.person_id
            and one.seen_from < other.seen_to
            and one.seen_to > other.seen_from
    where
        one.version = $from_version
        and other.version = $to_version
)

select
    round(
        coalesce(sum(date_diff('second', shared_from, shared_to)), 0) / 86400.0, 4
    ) as shared_days
from shared
