with

assignments as (
    select * from {{ ref("fct_experiment_assignments") }}
),

experiment_arms as (
    select * from {{ ref("experiment_arms") }}
),

dated as (
    select
        *,
        {{ weeks_ago("assigned_at") }} as weeks_ago
    from assignments
),

counted as (
    select
        experiment_key,
        arm,
        cast(count(*) as {{ dbt.type_bigint() }}) as count_people,
        cast(sum(case when weeks_ago = 1 then 1 else 0 end) as {{ dbt.type_bigint() }})
            as count_week,
        cast(sum(case when weeks_ago = 2 then 1 else 0 end) as {{ dbt.type_bigint() }})
            as count_previous_week,
        cast(sum(case when is_mature then 0 else 1 end) as {{ dbt.type_bigint() }})
            as count_immature,
        cast(sum(case when is_crossover then 1 else 0 end) as {{ dbt.type_bigint() }})
            as count_crossovers
    from dated
    group by experiment_key, arm
),

totalled as (
    select
        *,
        sum(count_people) over (partition by experiment_key) as count_people_of_all,
        sum(count_week) over (partition by experiment_key) as count_week_of_all
    from counted
),

ranked_arms as (
    select
        *,
        row_number() over (
            partition by experiment_key, arm
            order by coalesce(allocation_version, 1) desc
        ) as version_rank
    from experiment_arms
),

joined as (
    select
        -- ids
        totalled.experiment_key,
        totalled.arm,
        -- numbers
        totalled.count_people,
        totalled.count_week,
        totalled.count_previous_week,
        totalled.count_immature,
        totalled.count_crossovers,
        cast(totalled.count_people as double) / nullif(totalled.count_people_of_all, 0)
            as share_people,
        cast(totalled.count_week as double) / nullif(totalled.count_week_of_all, 0)
            as share_week,
        ranked_arms.weight as declared_share,
        -- flags
        coalesce(ranked_arms.is_control, false) as is_control
    from totalled
    left join ranked_arms
        on
            totalled.experiment_key = ranked_arms.experiment_key
            and totalled.arm = ranked_arms.arm
            and ranked_arms.version_rank = 1
)

select * from joined
