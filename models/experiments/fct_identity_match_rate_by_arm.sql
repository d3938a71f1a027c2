with

persons as (
    select * from {{ ref("dim_persons") }}
),

assignments as (
    select * from {{ ref("fct_experiment_assignments") }}
),

counted as (
    select
        assignments.experiment_key,
        assignments.arm,
        persons.workspace_id,
        count(*) as count_persons,
        sum({{ is_identifiable() }}) as count_identifiable,
        sum({{ is_matched() }}) as count_matched
    from assignments
    inner join persons
        on assignments.person_id = persons.person_id
    group by
        assignments.experiment_key,
        assignments.arm,
        persons.workspace_id
),

rated as (
    select
        experiment_key,
        arm,
        workspace_id,
        count_persons,
        cast(count_identifiable as {{ dbt.type_bigint() }}) as count_identifiable,
        cast(count_matched as {{ dbt.type_bigint() }}) as count_matched,
        {{ rate("count_identifiable", "count_persons") }} as identifiable_rate,
        {{ rate("count_matched", "count_identifiable") }} as match_rate,
        {{ as_of() }} as as_of
    from counted
)

select * from rated
