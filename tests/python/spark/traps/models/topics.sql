with

entries as (
    select
        place,
        {{ json_entries("said", "topics") }} as entry
    from {{ source("nasty", "topics") }}
)

select
    entries.place,
    entries.entry.key as topic,
    case when entries.entry.key <> 'number' then entries.entry.value end as said,
    {{ flag("entries.entry.value") }} as is_subscribed
from entries
