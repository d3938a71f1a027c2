{{ config(materialized="view") }}

with

exposures as (
    select * from {{ ref("fct_message_exposures") }}
),

told as (
    select
        workspace_id,
        delivery_id,
        case
            when message_type not in ('newsletter', 'transactional') then journey_id
        end as journey_id,
        journey_name,
        message_id,
        message_name,
        message_type,
        channel,
        exposure_kind,
        not_exposed_reason,
        minutes_since_trigger,
        human_clicked_at,
        coalesce(sent_at, delivered_at, created_at) as sent_at
    from exposures
),

counted as (
    select
        workspace_id,
        delivery_id,
        journey_id,
        journey_name,
        message_id,
        message_name,
        message_type,
        channel,
        exposure_kind,
        not_exposed_reason,
        minutes_since_trigger,
        {{ weeks_ago("sent_at") }} as weeks_ago,
        1 as count_messages,
        case when exposure_kind = 'real' then 1 else 0 end as count_real,
        case when exposure_kind = 'ghost' then 1 else 0 end as count_ghost,
        case when exposure_kind = 'none' then 1 else 0 end as count_none,
        case
            when exposure_kind = 'real' and human_clicked_at is not null then 1 else 0
        end as count_clicked
    from told
)

select * from counted
