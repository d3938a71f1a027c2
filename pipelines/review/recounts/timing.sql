-- Who of an arm and its control had not converted at a landmark, and whether they did after it. Where the
-- delay itself was drawn, everybody.
select
    people.arm,
    people.allocation_version,
    case when min(events.occurred_at) is null then 0 else 1 end as is_counted
from {int_experiments__people} as people
cross join {metrics} as metrics
left join {int_identity__behavior_events} as events
    on
        people.person_id = events.person_id
        and people.assigned_at <= events.occurred_at
        and people.window_ends_at > events.occurred_at
        and metrics.behavior = events.behavior
where
    $basis = 'landmark'
    and metrics.metric_key = $metric_key
    and people.experiment_key = $experiment_key
    and people.arm in ($arm, $control_arm)
    and people.exclusion_reason is null
    and people.window_ends_at <= $as_of
    and case
        when $landmark_hours is null then people.has_control_trap and people.reached_first_at is not null
        else people.window_ends_at > people.assigned_at + to_hours(cast($landmark_hours as bigint))
    end
group by people.person_id, people.arm, people.allocation_version, people.assigned_at, people.reached_first_at
having
    min(events.occurred_at) is null
    or min(events.occurred_at)
    >= coalesce(people.assigned_at + to_hours(cast($landmark_hours as bigint)), people.reached_first_at)
union all
select
    units.arm,
    people.allocation_version,
    units.y as is_counted
from {fct_experiment_units} as units
inner join {int_experiments__people} as people
    on
        units.experiment_key = people.experiment_key
        and units.person_id = people.person_id
where
    $basis = 'randomised'
    and units.is_mature
    and units.experiment_key = $experiment_key
    and units.metric_key = $metric_key
    and units.arm in ($arm, $control_arm)
