with

subjects as (
    select * from {{ source("customerio", "subjects") }}
),

typed as (
    select
        workspace_id,
        subject_name as journey_entry_id,
        internal_customer_id as cio_id,
        campaign_id,
        campaign_type,
        event_id as trigger_event_id,
        trigger_id,
        coalesce(started_campaign_at, created_at) as started_at,
        seq_num,
        _source_file
    from subjects
    where
        workspace_id is not null
        and subject_name is not null
),

ranked as (
    select
        *,
        row_number() over (
            partition by workspace_id, journey_entry_id
            order by
                seq_num desc nulls last,
                started_at desc nulls last,
                _source_file desc nulls last,
                cio_id desc nulls last,
                campaign_id desc nulls last,
                campaign_type desc nulls last,
                trigger_event_id desc nulls last,
                trigger_id desc nulls last
        ) as version_rank
    from typed
    where started_at < {{ as_of() }}
),

deduplicated as (
    select
        workspace_id,
        journey_entry_id,
        cio_id,
        campaign_id,
        campaign_type,
        trigger_event_id,
        trigger_id,
        started_at,
        seq_num
    from ranked
    where version_rank = 1
)

select * from deduplicated
