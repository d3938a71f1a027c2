-- To how many of an arm something happened, beside its control; allocations are weighed, never pooled.
with

people as (
    {people}
),

counted as (
    select
        count(*) filter (arm is not distinct from $arm) as count_rows,
        count(*) filter (arm is not distinct from $arm) as count_units,
        sum(is_counted) filter (arm is not distinct from $arm) as count_persons,
        {more}
    from people
),

versions as (
    select
        allocation_version,
        count(*) as count_units,
        count(*) filter (arm is not distinct from $arm) as count_of_arm,
        count(*) filter (arm = $control_arm) as count_of_control,
        avg(is_counted) filter (arm is not distinct from $arm) as rate_of_arm,
        avg(is_counted) filter (arm = $control_arm) as rate_of_control
    from people
    group by allocation_version
),

weighed as (
    select
        *,
        case when count_of_arm > 0 and count_of_control > 0 then count_units end as weight
    from versions
),

rated as (
    select
        coalesce(
            sum(weight * rate_of_arm) / sum(weight),
            sum(count_of_arm * rate_of_arm) / nullif(sum(count_of_arm), 0)
        ) as rate,
        coalesce(
            sum(weight * rate_of_control) / sum(weight),
            sum(count_of_control * rate_of_control) / nullif(sum(count_of_control), 0)
        ) as rate_control
    from weighed
)

-- what may not be shown is not counted again either
select
    counted.*,
    rated.rate,
    rated.rate_control,
    case when $difference is not null then rated.rate - rated.rate_control end as difference
from counted
cross join rated
