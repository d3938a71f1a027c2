select
    as_of,
    workspace_id,
    count_persons,
    count_identifiable,
    identifiable_rate,
    count_matched,
    match_rate,
    minimum_rate,
    is_met
from {fct_identity_match_rate}
order by workspace_id
