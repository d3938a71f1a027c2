-- An event that is told lies between the vendor's zero and the instant of the build.
with

told as (
    {% for event in heap_events() %}
    select
        publish_key,
        occurred_at
    from {{ ref("heap_cio_" ~ event) }}
    {{ "union all" if not loop.last }}
    {% endfor %}
)

select publish_key
from told
where
    occurred_at < {{ epoch() }}
    or occurred_at > {{ as_of() }}
