with

journey_entered as (
    select * from {{ ref("int_heap__journey_entered") }}
),

message_sent as (
    select * from {{ ref("int_heap__message_sent") }}
),

message_clicked as (
    select * from {{ ref("int_heap__message_clicked") }}
),

goal_converted as (
    select * from {{ ref("int_heap__goal_converted") }}
),

persons as (
    select * from {{ ref("dim_persons") }}
),

united as (
    select
        publish_key,
        'cio_journey_entered' as kind,
        refusal_reason as reason
    from journey_entered
    where refusal_reason is not null
    union all
    select
        publish_key,
        'cio_message_sent' as kind,
        refusal_reason as reason
    from message_sent
    where refusal_reason is not null
    union all
    select
        publish_key,
        'cio_message_clicked' as kind,
        refusal_reason as reason
    from message_clicked
    where refusal_reason is not null
    union all
    select
        publish_key,
        'cio_goal_converted' as kind,
        refusal_reason as reason
    from goal_converted
    where refusal_reason is not null
    union all
    select
        {{ publish_key("user_properties", ["persons.person_id"]) }} as publish_key,
        'user_properties' as kind,
        persons.refusal_reason as reason
    from persons
    where not persons.is_publishable
)

select * from united
