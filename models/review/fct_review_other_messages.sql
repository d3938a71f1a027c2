with

deliveries as (
    select * from {{ ref("int_review__deliveries") }}
),

counted as (
    select
        -- ids
        workspace_id,
        message_type,
        message_id,
        -- attributes
        max(message_name) as message_name,
        max(channel) as channel,
        -- numbers
        {{- by_period(
            ["count_messages", "count_real", "count_ghost", "count_none", "count_clicked"]
        ) }}
    from deliveries
    where journey_id is null
    group by workspace_id, message_type, message_id
),

rated as (
    select
        *,
        {{- click_through_by_period() }}
    from counted
)

select * from rated
