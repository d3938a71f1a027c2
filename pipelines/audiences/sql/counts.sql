select
    audience_key,
    said,
    why,
    count(*) as count_people
from audience_changes
group by audience_key, said, why
order by audience_key, said, why
