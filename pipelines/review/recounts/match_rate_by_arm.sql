-- The match rate of an arm, over all workspaces of it.
select
    count(*) as count_rows,
    sum(count_persons) as count_persons,
    sum(count_identifiable) as count_identifiable,
    sum(count_matched) as count_matched,
    sum(count_identifiable) / nullif(sum(count_persons), 0) as identifiable_rate,
    sum(count_matched) / nullif(sum(count_identifiable), 0) as match_rate
from {fct_identity_match_rate_by_arm}
where
    experiment_key = $experiment_key
    and arm = $arm
