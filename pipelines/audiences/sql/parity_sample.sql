select audience_key, member_id, only_in, cause
from {fct_audience_parity_sample}
order by audience_key, place
