-- Created less merged plus split are the persons there are, workspace by workspace; none is left out.
with

changes as (
    select
        workspace_id,
        sum(case change_kind when 'merged' then -1 else 1 end) as count_persons
    from {{ ref("fct_identity_changes") }}
    group by workspace_id
),

persons as (
    select
        workspace_id,
        count(*) as count_persons
    from {{ ref("dim_persons") }}
    group by workspace_id
)

select
    coalesce(persons.workspace_id, changes.workspace_id) as workspace_id,
    persons.count_persons,
    changes.count_persons as count_by_changes
from persons
full outer join changes
    on persons.workspace_id = changes.workspace_id
where coalesce(persons.count_persons, 0) <> coalesce(changes.count_persons, 0)
