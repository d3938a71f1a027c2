select
    workspace_id,
    population,
    count_persons
from {fct_identity_populations}
where not is_met
order by workspace_id asc, count_persons desc, population asc
