select
    count(*) as count_rows,
    count(*) as count_persons,
    count(case when is_publishable then 1 end) as count_identifiable,
    case
        when bool_or(is_known_in_heap is not null)
            then count(case when match_status = 'matched' then 1 end)
    end as count_matched
from {dim_persons}
where workspace_id = $workspace_id
