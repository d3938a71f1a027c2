create or replace temp table stays as
select
    version,
    person_id,
    entered_at,
    exited_at,
    greatest(entered_at, $since) as seen_from,
    coalesce(exited_at, $as_of) as seen_to
from {fct_segment_memberships}
where
    segment_key = $key
    and version in ($from_version, $to_version)
    and entered_at < $as_of
    and coalesce(exited_at, $as_of) > $since
