-- The people of an arm, beside those of all arms, counted from assignments.
with

people as (
    select
        *,
        arm = $arm as is_of_arm,
        assigned_at >= $as_of - interval 7 day as is_week,
        assigned_at < $as_of - interval 7 day and assigned_at >= $as_of - interval 14 day as is_previous_week
    from {fct_experiment_assignments}
    where experiment_key = $experiment_key
)

select
    count(*) filter (is_of_arm) as count_rows,
    count(*) filter (is_of_arm) as count_people,
    count(*) filter (is_of_arm and is_week) as count_week,
    count(*) filter (is_of_arm and is_previous_week) as count_previous_week,
    count(*) filter (is_of_arm and not is_mature) as count_immature,
    count(*) filter (is_of_arm and is_crossover) as count_crossovers,
    count(*) filter (is_of_arm) / nullif(count(*), 0) as share_people,
    count(*) filter (is_of_arm and is_week) / nullif(count(*) filter (is_week), 0) as share_week,
    (
        select max_by(weight, coalesce(allocation_version, 1))
        from {experiment_arms}
        where
            experiment_key = $experiment_key
            and arm = $arm
    ) as declared_share
from people
