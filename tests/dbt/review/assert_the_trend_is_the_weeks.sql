-- The trend by kind, and what each kind comes to in it, are the journey's weeks of that kind.
with

trend as (
    select
        workspace_id,
        journey_id,
        sum(case when exposure_kind = 'real' then count_messages else 0 end) as count_real,
        sum(case when exposure_kind = 'ghost' then count_messages else 0 end) as count_ghost,
        sum(case when exposure_kind = 'none' then count_messages else 0 end) as count_none
    from {{ ref("fct_review_exposure_weeks") }}
    group by workspace_id, journey_id
),

journeys as (
    select * from {{ ref("fct_review_journeys") }}
)

select
    journeys.workspace_id,
    journeys.journey_id
from journeys
left join trend
    on
        journeys.workspace_id = trend.workspace_id
        and journeys.journey_id = trend.journey_id
where
    journeys.count_real_trend <> coalesce(trend.count_real, 0)
    or journeys.count_ghost_trend <> coalesce(trend.count_ghost, 0)
    or journeys.count_none_trend <> coalesce(trend.count_none, 0)
