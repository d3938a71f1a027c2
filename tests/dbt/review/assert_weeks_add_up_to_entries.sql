-- The weeks of a journey are all of it: their passes are the passes there are.
with

weeks as (
    select
        workspace_id,
        journey_id,
        sum(count_entries) as count_entries
    from {{ ref("fct_review_journey_weeks") }}
    group by workspace_id, journey_id
),

entries as (
    select
        workspace_id,
        journey_id,
        count(*) as count_entries
    from {{ ref("fct_journey_entries") }}
    where journey_id is not null
    group by workspace_id, journey_id
)

select
    entries.workspace_id,
    entries.journey_id,
    entries.count_entries,
    weeks.count_entries as count_by_weeks
from entries
left join weeks
    on
        entries.workspace_id = weeks.workspace_id
        and entries.journey_id = weeks.journey_id
where entries.count_entries <> coalesce(weeks.count_entries, 0)
union all
select
    weeks.workspace_id,
    weeks.journey_id,
    0 as count_entries,
    weeks.count_entries as count_by_weeks
from weeks
left join entries
    on
        weeks.workspace_id = entries.workspace_id
        and weeks.journey_id = entries.journey_id
where
    entries.journey_id is null
    and weeks.count_entries > 0
