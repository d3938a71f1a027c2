with

persons as (
    select * from {{ ref("dim_persons") }}
),

counted as (
    select
        persons.workspace_id,
        count(*) as count_persons,
        sum({{ is_identifiable() }}) as count_identifiable,
        sum({{ is_matched() }}) as count_matched
    from persons
    group by persons.workspace_id
),

rated as (
    select
        counted.workspace_id,
        counted.count_persons,
        cast(counted.count_identifiable as {{ dbt.type_bigint() }}) as count_identifiable,
        cast(counted.count_matched as {{ dbt.type_bigint() }}) as count_matched,
        {{ rate("counted.count_identifiable", "counted.count_persons") }} as identifiable_rate,
        {{ rate("counted.count_matched", "counted.count_identifiable") }} as match_rate,
        cast({{ identity_minimum_rate("counted.workspace_id") }} as double) as minimum_rate
    from counted
),

judged as (
    select
        workspace_id,
        count_persons,
        count_identifiable,
        count_matched,
        identifiable_rate,
        match_rate,
        minimum_rate,
        coalesce(coalesce(match_rate, identifiable_rate) >= minimum_rate, true) as is_met,
        {{ as_of() }} as as_of
    from rated
)

select * from judged
