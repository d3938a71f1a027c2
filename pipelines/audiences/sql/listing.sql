select
    audience_key, segment_key, version, destination, destination_id, count_in_segment,
    count_members, count_held_out, count_entered_week, count_left_week, blocked_reason, owner
from {fct_audiences}
order by audience_key
