with

people as (
    select * from {{ ref("int_review__people") }}
),

counted as (
    select
        experiment_key,
        arm,
        cast(count(*) as {{ dbt.type_bigint() }}) as count_people,
        cast(sum(case when is_exposed_real then 1 else 0 end) as {{ dbt.type_bigint() }})
            as count_reached,
        cast(sum(case when is_exposed_ghost then 1 else 0 end) as {{ dbt.type_bigint() }})
            as count_ghost,
        cast(sum(case when is_contaminated then 1 else 0 end) as {{ dbt.type_bigint() }})
            as count_contaminated
    from people
    group by experiment_key, arm
),

rated as (
    select
        *,
        cast(count_reached as double) / nullif(count_people, 0) as reached_share
    from counted
)

select * from rated
