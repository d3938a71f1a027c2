with

metrics as (
    select * from {{ ref("int_journeys__delivery_metrics") }}
),

summarised as (
    select
        workspace_id,
        delivery_id,
        coalesce(link_id, -1) as link_id,
        min(case when actor = 'human' then occurred_at end) as human_clicked_at,
        min(occurred_at) as clicked_at
    from metrics
    where
        metric = 'clicked'
        and actor <> 'machine'
    group by workspace_id, delivery_id, coalesce(link_id, -1)
),

first_clicks as (
    select
        workspace_id,
        delivery_id,
        link_id,
        case when human_clicked_at = clicked_at then 'human' else 'unknown' end as click_kind,
        clicked_at
    from summarised
)

select * from first_clicks
