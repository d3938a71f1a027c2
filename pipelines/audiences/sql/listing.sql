select
    audiences.audience_key,
    audiences.segment_key,
    audiences.version,
    audiences.destination,
    audiences.destination_id,
    audiences.count_in_segment,
    audiences.count_members,
    audiences.count_held_out,
    audiences.count_entered_week,
    audiences.count_left_week,
    audiences.blocked_reason,
    audiences.owner,
    parity.verdict as parity,
    parity.jaccard
from {fct_audiences} as audiences
left join {fct_audience_parity} as parity on audiences.audience_key = parity.audience_key
order by audiences.audience_key
