with

metrics as (
    select * from {{ source("customerio", "metrics") }}
),

typed as (
    select
        workspace_id,
        event_id as metric_event_id,
        delivery_id,
        {{ lowered(trimmed("metric")) }} as metric,
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
        and delivery_id is not null
        and metric is not null
),

-- Of rows that differ under one id, the newer; what any of them called a machine's stays one.
ranked as (
    select
        *,
        {{ told_by_any("is_proxied", "workspace_id, metric_event_id, metric") }} as is_ever_proxied,
        {{ told_by_any("is_prefetched", "workspace_id, metric_event_id, metric") }} as is_ever_prefetched,
        {{ told_by_any("is_machine", "workspace_id, metric_event_id, metric") }} as is_ever_machine,
        row_number() over (
            partition by workspace_id, metric_event_id, metric
            order by
                seq_num desc nulls last,
                occurred_at desc nulls last,
                _source_file desc nulls last,
                delivery_id desc,
                link_id desc nulls last,
                link_url desc nulls last,
                reason desc nulls last
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
        is_ever_proxied as is_proxied,
        is_ever_prefetched as is_prefetched,
        is_ever_machine as is_machine,
        occurred_at,
        seq_num
    from ranked
    where version_rank = 1
)

select * from deduplicated
