select
    place,
    {{ json_text("said", "key") }} as json_text,
    {{ json_text("said", "inner.key") }} as inner_text,
    {{ json_id("said", "key") }} as json_id,
    {{ json_id("said", "inner.key") }} as inner_id
from {{ source("nasty", "bodies") }}
