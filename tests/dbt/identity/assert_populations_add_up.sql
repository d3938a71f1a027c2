-- Every person is in one population, and none is lost.
with

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
    rates.workspace_id,
    rates.count_persons,
    populations.count_persons as count_in_populations
from rates
left join populations
    on rates.workspace_id = populations.workspace_id
where rates.count_persons <> coalesce(populations.count_persons, 0)
