select
    place,
    {{ json_list_ids("said", "add") }} as list_id
from {{ source("nasty", "lists") }}
