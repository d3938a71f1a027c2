-- The members of an audience and who left it, counted from its list and the stays of its segment.
select
    count(*) as count_rows,
    count(*) as count_in_segment,
    count(*) filter (is_member) as count_members,
    count(*) filter (exclusion_reason = 'held out') as count_held_out,
    count(*) filter (is_member and entered_at >= $as_of - interval 7 day) as count_entered_week,
    (
        select count(distinct stays.person_id)
        from {fct_segment_memberships} as stays
        inner join {dim_persons} as persons on stays.person_id = persons.person_id
        where
            stays.segment_key = $segment_key
            and stays.version = $version
            and stays.exited_at >= $as_of - interval 7 day
            and coalesce($workspace_id, persons.workspace_id) = persons.workspace_id
            and stays.person_id not in (
                select person_id
                from {fct_audience_members}
                where audience_key = $audience_key
            )
    ) as count_left_week
from {fct_audience_members}
where audience_key = $audience_key
