-- Who is in a segment version now, counted from its stays.
select
    count(*) as count_rows,
    count(*) as count_members
from {fct_segment_memberships}
where
    segment_key = $segment_key
    and version = $version
    and exited_at is null
