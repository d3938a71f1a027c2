select
    audience_key,
    place,
    only_in,
    cause,
    member_id
from {fct_audience_parity_sample}
order by audience_key, place
