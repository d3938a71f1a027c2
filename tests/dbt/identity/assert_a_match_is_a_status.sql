-- Who counts as matched has the status: rate, persons and populations give one number.
with

persons as (
    select
        workspace_id,
        sum(case when match_status = 'matched' then 1 else 0 end) as count_persons_matched,
        sum(case when is_publishable then 1 else 0 end) as count_persons_publishable
    from {{ ref("dim_persons") }}
    group by workspace_id
),

populations as (
    select
        workspace_id,
        sum(case when population = 'known in Heap' then count_persons else 0 end) as count_known
    from {{ ref("fct_identity_populations") }}
    group by workspace_id
),

rates as (
    select * from {{ ref("fct_identity_match_rate") }}
)

select
    rates.workspace_id,
    rates.count_matched,
    rates.count_identifiable,
    persons.count_persons_matched,
    persons.count_persons_publishable,
    populations.count_known
from rates
left join persons
    on rates.workspace_id = persons.workspace_id
left join populations
    on rates.workspace_id = populations.workspace_id
where
    rates.count_matched <> coalesce(persons.count_persons_matched, -1)
    or rates.count_matched <> coalesce(populations.count_known, -1)
    or rates.count_identifiable <> coalesce(persons.count_persons_publishable, -1)
