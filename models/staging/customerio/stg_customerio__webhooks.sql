with

webhooks as (
    select * from {{ source("customerio", "webhooks") }}
),

typed as (
    select
        event_id as webhook_event_id,
        workspace_id,
        {{ json_text("data", "delivery_id") }} as delivery_id,
        nullif(trim({{ json_text("data", "identifiers.cio_id") }}), '') as cio_id,
        nullif(trim({{ json_text("data", "identifiers.id") }}), '') as customer_id,
        coalesce(
            nullif(trim({{ json_text("data", "identifiers.email") }}), ''),
            nullif(trim({{ json_text("data", "email_address") }}), '')
        ) as email,
        lower(trim(metric)) as metric,
        {{ channel("object_type") }} as channel,
        nullif(lower(trim({{ json_text("data", "recipient") }})), '') as recipient,
        {{ json_text("data", "failure_message") }} as reason,
        {{ safe_cast_as(json_text("data", "link_id"), "bigint") }} as link_id,
        {{ json_text("data", "href") }} as link_url,
        {{ safe_cast_as(json_text("data", "proxied"), "boolean") }} as is_proxied,
        {{ safe_cast_as(json_text("data", "prefetched"), "boolean") }} as is_prefetched,
        {{ safe_cast_as(json_text("data", "synthetic"), "boolean") }} as is_synthetic,
        {{ safe_cast_as(json_text("data", "machine"), "boolean") }} as is_machine,
        occurred_at,
        _source_file
    from webhooks
    where
        event_id is not null
        and metric is not null
),

-- Of bodies that differ under one id, the later; of one instant, the one that calls it a machine's.
ranked as (
    select
        *,
        row_number() over (
            partition by webhook_event_id, metric
            order by
                occurred_at desc,
                _source_file desc,
                delivery_id desc nulls last,
                is_machine desc nulls last,
                is_prefetched desc nulls last,
                is_proxied desc nulls last,
                is_synthetic desc nulls last,
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
        is_proxied,
        is_prefetched,
        is_synthetic,
        is_machine,
        occurred_at
    from ranked
    where version_rank = 1
)

select * from deduplicated
