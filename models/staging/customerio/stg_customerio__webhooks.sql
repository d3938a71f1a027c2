with

webhooks as (
    select * from {{ source("customerio", "webhooks") }}
),

typed as (
    select
        event_id as webhook_event_id,
        workspace_id,
        {{ json_id("data", "delivery_id") }} as delivery_id,
        {{ json_id("data", "identifiers.cio_id") }} as cio_id,
        {{ json_id("data", "identifiers.id") }} as customer_id,
        coalesce(
            {{ not_blank(json_text("data", "identifiers.email")) }},
            {{ not_blank(json_text("data", "email_address")) }}
        ) as email,
        lower({{ trimmed("metric") }}) as metric,
        {{ channel("object_type") }} as channel,
        lower({{ not_blank(json_text("data", "recipient")) }}) as recipient,
        {{ json_text("data", "failure_message") }} as reason,
        {{ whole_number(json_text("data", "link_id")) }} as link_id,
        {{ json_text("data", "href") }} as link_url,
        {{ flag(json_text("data", "proxied")) }} as is_proxied,
        {{ flag(json_text("data", "prefetched")) }} as is_prefetched,
        {{ flag(json_text("data", "synthetic")) }} as is_synthetic,
        {{ flag(json_text("data", "machine")) }} as is_machine,
        occurred_at,
        _source_file
    from webhooks
    where
        event_id is not null
        and metric is not null
),

-- Of bodies that differ under one id, the later; what any of them called a machine's stays one.
ranked as (
    select
        *,
        {{ told_by_any("is_proxied", "webhook_event_id, metric") }} as is_ever_proxied,
        {{ told_by_any("is_prefetched", "webhook_event_id, metric") }} as is_ever_prefetched,
        {{ told_by_any("is_synthetic", "webhook_event_id, metric") }} as is_ever_synthetic,
        {{ told_by_any("is_machine", "webhook_event_id, metric") }} as is_ever_machine,
        row_number() over (
            partition by webhook_event_id, metric
            order by
                occurred_at desc,
                _source_file desc,
                delivery_id desc nulls last,
                link_id desc nulls last,
                cio_id desc nulls last,
                customer_id desc nulls last,
                email desc nulls last
        ) as version_rank
    from typed
    where occurred_at < {{ as_of() }}
),

deduplicated as (
    select
        webhook_event_id,
        workspace_id,
        delivery_id,
        cio_id,
        customer_id,
        email,
        metric,
        channel,
        recipient,
        reason,
        link_id,
        link_url,
        is_ever_proxied as is_proxied,
        is_ever_prefetched as is_prefetched,
        is_ever_synthetic as is_synthetic,
        is_ever_machine as is_machine,
        occurred_at
    from ranked
    where version_rank = 1
)

select * from deduplicated
