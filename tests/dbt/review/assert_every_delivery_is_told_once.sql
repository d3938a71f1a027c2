-- A delivery belongs to one message of a journey, or to one of no journey.
with

told as (
    select
        workspace_id,
        count_messages
    from {{ ref("fct_review_messages") }}
    union all
    select
        workspace_id,
        count_messages
    from {{ ref("fct_review_other_messages") }}
),

counted as (
    select
        workspace_id,
        sum(count_messages) as count_messages
    from told
    group by workspace_id
),

deliveries as (
    select
        workspace_id,
        count(*) as count_deliveries
    from {{ ref("fct_message_exposures") }}
    group by workspace_id
)

select
    deliveries.workspace_id,
    deliveries.count_deliveries,
    counted.count_messages
from deliveries
left join counted
    on deliveries.workspace_id = counted.workspace_id
where deliveries.count_deliveries <> coalesce(counted.count_messages, 0)
