select
    audiences.audience_key,
    audiences.destination,
    audiences.destination_id,
    audiences.segment_key,
    audiences.version,
    audiences.count_members,
    audiences.blocked_reason,
    members.exclusion_reason,
    count(members.person_id) as count_people
from {fct_audiences} as audiences
left join {fct_audience_members} as members
    on audiences.audience_key = members.audience_key and not members.is_member
group by all
order by audiences.audience_key asc, count_people desc, members.exclusion_reason asc
