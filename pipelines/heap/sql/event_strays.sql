-- Why rows may not stand in their mart, the most frequent reason first.
with

counted as (
    select
        *,
        count(*) over (partition by publish_key) as count_rows
    from candidates
),

strays as (
    select
        model,
        coalesce(
            stray,
            case when count_rows > 1 and not is_moved then 'the publish key is repeated' end
        ) as stray
    from counted
)

select
    model,
    stray,
    count(*) as count_strays
from strays
where stray is not null
group by model, stray
order by count_strays desc, model asc, stray asc
