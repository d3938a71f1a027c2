with

match_rates as (
    select * from {{ ref("fct_identity_match_rate_by_arm") }}
),

counted as (
    select
        experiment_key,
        arm,
        cast(sum(count_persons) as {{ dbt.type_bigint() }}) as count_persons,
        cast(sum(count_identifiable) as {{ dbt.type_bigint() }}) as count_identifiable,
        cast(sum(count_matched) as {{ dbt.type_bigint() }}) as count_matched
    from match_rates
    group by experiment_key, arm
),

rated as (
    select
        *,
        cast(count_identifiable as double) / nullif(count_persons, 0) as identifiable_rate,
        cast(count_matched as double) / nullif(count_identifiable, 0) as match_rate
    from counted
)

select * from rated
