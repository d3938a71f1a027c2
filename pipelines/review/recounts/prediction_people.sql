-- Everybody who was known then: whether they ordered since, the tier that they had, whether they were heard
-- of lately.
select
    persons.person_id,
    persons.person_id in (
        select person_id
        from {int_segments__orders}
        where ordered_at >= $as_of - to_days($insight_prediction_days)
    ) as is_ordered,
    case tiers.intent_tier when 'high' then 3 when 'warm' then 2 else 1 end as tier,
    case
        when persons.person_id in (
            select person_id
            from {int_identity__behavior_events}
            where
                occurred_at < $as_of - to_days($insight_prediction_days)
                and occurred_at > $as_of - to_days($insight_prediction_days + $insight_silence_days)
        ) then 2
        else 1
    end as sound
from {dim_persons} as persons
left join {fct_intent_tiers} as tiers
    on
        persons.person_id = tiers.person_id
        and tiers.entered_at <= $as_of - to_days($insight_prediction_days)
        and coalesce(tiers.exited_at > $as_of - to_days($insight_prediction_days), true)
where
    persons.workspace_id is not distinct from $workspace_id
    and persons.first_seen_at < $as_of - to_days($insight_prediction_days)
