-- What could be told is told or refused, once: nothing is lost between the candidates and the marts.
with

candidates as (
    select publish_key from {{ ref("int_heap__journey_entered") }}
    union all
    select publish_key from {{ ref("int_heap__message_sent") }}
    union all
    select publish_key from {{ ref("int_heap__message_clicked") }}
    union all
    select publish_key from {{ ref("int_heap__goal_converted") }}
    union all
    select {{ publish_key("user_properties", ["person_id"]) }} as publish_key
    from {{ ref("dim_persons") }}
),

answers as (
    select publish_key from {{ ref("heap_cio_journey_entered") }}
    union all
    select publish_key from {{ ref("heap_cio_message_sent") }}
    union all
    select publish_key from {{ ref("heap_cio_message_clicked") }}
    union all
    select publish_key from {{ ref("heap_cio_goal_converted") }}
    union all
    select {{ publish_key("user_properties", ["person_id"]) }} as publish_key
    from {{ ref("heap_user_properties") }}
    union all
    select publish_key from {{ ref("heap_refusals") }}
),

counted as (
    select
        publish_key,
        1 as count_candidates,
        0 as count_answers
    from candidates
    union all
    select
        publish_key,
        0 as count_candidates,
        1 as count_answers
    from answers
)

select publish_key
from counted
group by publish_key
having
    sum(count_candidates) <> 1
    or sum(count_answers) <> 1
