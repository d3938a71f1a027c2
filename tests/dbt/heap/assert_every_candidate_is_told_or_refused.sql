-- What could be told is told or refused, once: nothing is lost between the candidates and the marts.
{%- set events = heap_events() %}
with

candidates as (
    {% for event in events %}
    select publish_key from {{ ref("int_heap__" ~ event) }}
    union all
    {% endfor %}
    select {{ publish_key("user_properties", ["person_id"]) }} as publish_key
    from {{ ref("dim_persons") }}
),

answers as (
    {% for event in events %}
    select publish_key from {{ ref("heap_cio_" ~ event) }}
    union all
    {% endfor %}
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
