{%- set events = heap_events() -%}
with

{%- for event in events %}

{{ event }} as (
    select * from {{ ref("int_heap__" ~ event) }}
),
{%- endfor %}

persons as (
    select * from {{ ref("heap_persons") }}
),

united as (
    {%- for event in events %}
    select
        publish_key,
        'cio_{{ event }}' as kind,
        refusal_reason as reason
    from {{ event }}
    where refusal_reason is not null
    union all
    {%- endfor %}
    select
        {{ publish_key("user_properties", ["persons.person_id"]) }} as publish_key,
        'user_properties' as kind,
        persons.refusal_reason as reason
    from persons
    where persons.refusal_reason is not null
)

select * from united
