with

people as (
    select * from {{ ref("int_experiments__people") }}
),

instants as (
    select * from {{ ref("int_experiments__instants") }}
),

profiles as (
    select * from {{ ref("int_identity__profiles") }}
),

profile_counts as (
    select
        person_id,
        count(*) as count_profiles
    from profiles
    group by person_id
),

counted as (
    select
        people.experiment_key,
        instants.read_at,
        people.allocation_version,
        people.arm,
        people.is_control,
        people.is_randomised,
        sum(
            case
                when coalesce(people.exclusion_reason, '') not in ('global_holdout', 'winner_picked')
                    then 1
                else 0
            end
        ) as count_drawn,
        sum(
            case
                when
                    people.exclusion_reason is null and people.is_ghost_reached
                    and people.reached_first_at < instants.read_at
                    then 1
                else 0
            end
        ) as count_ghost_reached,
        count(*) as count_people,
        sum(
            case when people.crossed_over_at < instants.read_at then 1 else 0 end
        ) as count_crossovers,
        sum(
            case
                when
                    people.crossed_over_at < instants.read_at
                    and people.crossover_cause in ('merge', 'relabel')
                    then 1
                else 0
            end
        ) as count_hard_crossovers,
        sum(case when people.count_arms = 1 then 1 else 0 end) as count_single_arm,
        sum(
            case
                when people.is_contaminated and people.exposed_real_at < instants.read_at then 1
                else 0
            end
        ) as count_contaminated,
        sum(
            case when people.exclusion_reason = 'late_label' then 1 else 0 end
        ) as count_late_labels,
        sum(
            case when people.exclusion_reason = 'winner_picked' then 1 else 0 end
        ) as count_winner_picked,
        sum(
            case when profile_counts.count_profiles > 1 then 1 else 0 end
        ) as count_merged
    from people
    inner join instants
        on
            people.experiment_key = instants.experiment_key
            and people.assigned_at < instants.read_at
    left join profile_counts
        on people.person_id = profile_counts.person_id
    group by
        people.experiment_key,
        instants.read_at,
        people.allocation_version,
        people.arm,
        people.is_control,
        people.is_randomised
)

select * from counted
