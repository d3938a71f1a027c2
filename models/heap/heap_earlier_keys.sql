with

goal_converted as (
    select * from {{ ref("int_heap__goal_converted") }}
),

renamed as (
    select
        publish_key,
        earlier_publish_key
    from goal_converted
    where earlier_publish_key is not null
)

select * from renamed
