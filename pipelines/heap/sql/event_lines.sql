select
    planned.place,
    planned.publish_key,
    {start} || cast(to_json(planned.heap_identity) as varchar)
    || ',"timestamp":"' || {timestamp}
    || '","idempotency_key":' || cast(to_json(mart.publish_key) as varchar)
    || ',"properties":{' || {properties} || '}}' as line
from {mart} as mart
inner join {planned} as planned
    on mart.publish_key = planned.publish_key
where planned.model = {number}
