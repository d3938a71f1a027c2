-- An event that is told lies between the vendor's zero and the instant of the build.
with

told as (
    {% for mart in [
        "heap_cio_journey_entered",
        "heap_cio_message_sent",
        "heap_cio_message_clicked",
        "heap_cio_goal_converted",
    ] %}
    select
        publish_key,
        occurred_at
    from {{ ref(mart) }}
    {{ "union all" if not loop.last }}
    {% endfor %}
)

select publish_key
from told
where
    occurred_at < {{ epoch() }}
    or occurred_at > {{ as_of() }}
