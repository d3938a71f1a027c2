-- Persons of a workspace, those with a usable identity, and those whom Heap knows by it.
with

counted as (
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
)

select
    *,
    count_identifiable / nullif(count_persons, 0) as identifiable_rate,
    count_matched / nullif(count_identifiable, 0) as match_rate
from counted
