-- How often something happened to each person of an arm and of its control.
select
    cohorts.arm,
    cohorts.allocation_version,
    coalesce(sum(happened.count_events), 0) as count_events,
    case when sum(happened.count_events) > 0 then 1 else 0 end as is_counted
from {int_insight__cohorts} as cohorts
left join {int_insight__pressure} as happened
    on
        cohorts.cohort_key = happened.cohort_key
        and cohorts.person_id = happened.person_id
        and happened.measure = $measure
where
    cohorts.cohort_key = coalesce(
        'experiment:' || $experiment_key, 'journey:' || $workspace_id || ':' || $journey_id
    )
    and (cohorts.arm is not distinct from $arm or cohorts.arm = $control_arm)
group by cohorts.person_id, cohorts.arm, cohorts.allocation_version
