-- Whom something happened to, and how often; allocation versions are weighed, never pooled.
with

events as (
    select
        person_id,
        sum(count_events) as count_events
    from {int_insight__pressure}
    where
        measure = $measure
        and cohort_key = coalesce(
            'experiment:' || $experiment_key, 'journey:' || $workspace_id || ':' || $journey_id
        )
    group by person_id
),

people as (
    select
        cohorts.arm,
        cohorts.allocation_version,
        coalesce(events.count_events, 0) as count_events,
        case when events.count_events > 0 then 1 else 0 end as is_counted
    from {int_insight__cohorts} as cohorts
    left join events on cohorts.person_id = events.person_id
    where
        cohorts.cohort_key = coalesce(
            'experiment:' || $experiment_key, 'journey:' || $workspace_id || ':' || $journey_id
        )
        and (cohorts.arm is not distinct from $arm or cohorts.arm = $control_arm)
),

counted as (
    select
        sum(is_counted) as count_rows,
        count(*) as count_units,
        sum(is_counted) as count_persons,
        sum(count_events) as count_events,
        sum(count_events) / nullif(count(*), 0) as events_per_person
    from people
    where arm is not distinct from $arm
),

versions as (
    select
        allocation_version,
        count(*) as count_units,
        count(*) filter (arm is not distinct from $arm) as count_of_arm,
        count(*) filter (arm = $control_arm) as count_of_control,
        avg(is_counted) filter (arm is not distinct from $arm) as rate_of_arm,
        avg(is_counted) filter (arm = $control_arm) as rate_of_control
    from people
    group by allocation_version
),

weighed as (
    select
        *,
        case when count_of_arm > 0 and count_of_control > 0 then count_units end as weight
    from versions
),

rated as (
    select
        coalesce(
            sum(weight * rate_of_arm) / sum(weight),
            sum(count_of_arm * rate_of_arm) / nullif(sum(count_of_arm), 0)
        ) as rate,
        coalesce(
            sum(weight * rate_of_control) / sum(weight),
            sum(count_of_control * rate_of_control) / nullif(sum(count_of_control), 0)
        ) as rate_control
    from weighed
)

-- what may not be shown is not counted again either
select
    counted.*,
    rated.rate,
    rated.rate_control,
    case when $difference is not null then rated.rate - rated.rate_control end as difference
from counted
cross join rated
