with

flags as (
    select
        person_id,
        bool_or(version = $from_version) as is_in_from,
        bool_or(version = $to_version) as is_in_to,
        bool_or(version = $from_version and exited_at is null) as is_now_in_from,
        bool_or(version = $to_version and exited_at is null) as is_now_in_to
    from stays
    group by person_id
)

select
    count(*) filter (is_in_from and is_in_to) as ever_both,
    count(*) filter (is_in_from or is_in_to) as ever_either,
    count(*) filter (is_now_in_from and is_now_in_to) as now_both,
    count(*) filter (is_now_in_from or is_now_in_to) as now_either
from flags
