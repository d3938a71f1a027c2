-- Every person is in one population, and none is lost: no workspace either.
with

persons as (
    select
        workspace_id,
        count(*) as count_persons
    from {{ ref("dim_persons") }}
    group by workspace_id
),

populations as (
    select
        workspace_id,
        sum(count_persons) as count_persons
    from {{ ref("fct_identity_populations") }}
    group by workspace_id
),

rates as (
    select * from {{ ref("fct_identity_match_rate") }}
)

select
    coalesce(persons.workspace_id, populations.workspace_id, rates.workspace_id) as workspace_id,
    persons.count_persons,
    populations.count_persons as count_in_populations,
    rates.count_persons as count_in_rates
from persons
full outer join populations
    on persons.workspace_id = populations.workspace_id
full outer join rates
    on coalesce(persons.workspace_id, populations.workspace_id) = rates.workspace_id
where
    coalesce(persons.count_persons, 0) <> coalesce(populations.count_persons, 0)
    or coalesce(persons.count_persons, 0) <> coalesce(rates.count_persons, 0)
