select audience_key, action, reason, count(*) as count_people
from audience_changes
group by audience_key, action, reason
order by audience_key, action, reason
