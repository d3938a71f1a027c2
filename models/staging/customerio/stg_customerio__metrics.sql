with

metrics as (
    select * from {{ source("customerio", "metrics") }}
),

typed as (
    select
        workspace_id,
        event_id as metric_event_id,
        delivery_id,
        lower(trim(metric)) as metric,
        reason,
        link_id,
        link_url,
        proxied as is_proxied,
        prefetched as is_prefetched,
        machine as is_machine,
        created_at as occurred_at,
        seq_num,
        _source_file
    from metrics
    where
        workspace_id is not null
        and event_id is not null
),

ranked as (
    select
        *,
        row_number() over (
            partition by workspace_id, metric_event_id
            order by
                seq_num desc nulls last,
                occurred_at desc nulls last,
                is_machine desc nulls last,
                is_prefetched desc nulls last,
                is_proxied desc nulls last,
                _source_file desc nulls last,
                metric desc,
                delivery_id desc,
                link_id desc nulls last
        ) as version_rank
    from typed
    where occurred_at < {{ as_of() }}
),

deduplicated as (
    select
        workspace_id,
        metric_event_id,
        delivery_id,
        metric,
        reason,
        link_id,
        link_url,
        is_proxied,
        is_prefetched,
        is_machine,
        occurred_at,
        seq_num
    from ranked
    where version_rank = 1
)

select * from deduplicated
