with

deliveries as (
    select * from {{ source("customerio", "deliveries") }}
),

typed as (
    select
        workspace_id,
        delivery_id,
        internal_customer_id as cio_id,
        subject_id as journey_entry_id,
        event_id as trigger_event_id,
        delivery_type,
        {{ channel("delivery_type") }} as channel,
        campaign_id,
        action_id,
        newsletter_id,
        content_id,
        trigger_id,
        transactional_message_id,
        created_at,
        seq_num,
        _source_file
    from deliveries
    where
        workspace_id is not null
        and delivery_id is not null
),

ranked as (
    select
        *,
        row_number() over (
            partition by workspace_id, delivery_id
            order by
                seq_num desc nulls last,
                created_at desc nulls last,
                _source_file desc nulls last,
                cio_id desc nulls last,
                action_id desc nulls last,
                journey_entry_id desc nulls last,
                trigger_event_id desc nulls last,
                delivery_type desc nulls last,
                campaign_id desc nulls last,
                newsletter_id desc nulls last,
                content_id desc nulls last,
                trigger_id desc nulls last,
                transactional_message_id desc nulls last
        ) as version_rank
    from typed
    where created_at < {{ as_of() }}
),

deduplicated as (
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
        created_at,
        seq_num
    from ranked
    where version_rank = 1
)

select * from deduplicated
