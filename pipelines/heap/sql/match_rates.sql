select
    workspace_id,
    match_rate is not null as is_matched,
    cast(coalesce(match_rate, identifiable_rate) as double) as rate,
    minimum_rate,
    is_met
from {rates}
order by workspace_id
