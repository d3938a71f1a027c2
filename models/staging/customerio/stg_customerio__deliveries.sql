{{ config(materialized="view") }}

with

synced as (
    select * from {{ ref("stg_customerio__synced_deliveries") }}
),

called as (
    select * from {{ ref("stg_customerio__called_deliveries") }}
),

united as (
    select
        workspace_id,
        delivery_id,
        cio_id,
        journey_entry_id,
        trigger_event_id,
        delivery_type,
        channel,
        campaign_id,
        action_id,
        newsletter_id,
        content_id,
        trigger_id,
        transactional_message_id,
        false as is_called,
        created_at,
        seq_num
    from synced
    union all
    select
        workspace_id,
        delivery_id,
        cio_id,
        journey_entry_id,
        trigger_event_id,
        channel as delivery_type,
        channel,
        campaign_id,
        action_id,
        newsletter_id,
        content_id,
        trigger_id,
        transactional_message_id,
        true as is_called,
        created_at,
        cast(null as {{ dbt.type_bigint() }}) as seq_num
    from called
)

select * from united
