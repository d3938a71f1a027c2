select
    experiment_key,
    arm,
    workspace_id,
    count_persons,
    identifiable_rate,
    match_rate
from {fct_identity_match_rate_by_arm}
order by experiment_key, arm, workspace_id
