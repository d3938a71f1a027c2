-- What was shown, trapped and not shown in a week are the deliveries that were sent in it.
with

deliveries as (
    select
        exposures.workspace_id,
        exposures.journey_id,
        weeks.weeks_ago,
        count(*) as count_deliveries
    from {{ ref("fct_message_exposures") }} as exposures
    inner join {{ ref("fct_review_journey_weeks") }} as weeks
        on
            exposures.workspace_id = weeks.workspace_id
            and exposures.journey_id = weeks.journey_id
            and coalesce(exposures.sent_at, exposures.delivered_at, exposures.created_at)
            >= weeks.starts_at
            and coalesce(exposures.sent_at, exposures.delivered_at, exposures.created_at)
            < {{ dbt.dateadd("day", 7, "weeks.starts_at") }}
    where exposures.message_type not in ('newsletter', 'transactional')
    group by exposures.workspace_id, exposures.journey_id, weeks.weeks_ago
)

select
    weeks.workspace_id,
    weeks.journey_id,
    weeks.weeks_ago,
    weeks.count_real,
    weeks.count_ghost,
    weeks.count_none,
    deliveries.count_deliveries
from {{ ref("fct_review_journey_weeks") }} as weeks
left join deliveries
    on
        weeks.workspace_id = deliveries.workspace_id
        and weeks.journey_id = deliveries.journey_id
        and weeks.weeks_ago = deliveries.weeks_ago
where
    weeks.count_real + weeks.count_ghost + weeks.count_none
    <> coalesce(deliveries.count_deliveries, 0)
