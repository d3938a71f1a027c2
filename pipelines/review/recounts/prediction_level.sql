-- Of one level of a predictor, who ordered since, beside everybody.
with

people as (
    {people}
),

counted as (
    select
        count(*) as count_all,
        count(*) filter (is_ordered) as count_all_ordered,
        count(*) filter (case $predictor when 'intent_tier' then tier else sound end = $level_number)
            as count_persons,
        count(*) filter (
            is_ordered and case $predictor when 'intent_tier' then tier else sound end = $level_number
        ) as count_ordered
    from people
)

select
    count_persons as count_rows,
    count_persons,
    count_ordered,
    count_ordered / count_persons as rate,
    count_ordered / count_persons / nullif(count_all_ordered / count_all, 0) as times_base
from counted
