with

metrics as (
    select * from {{ ref("stg_customerio__metrics") }}
),

webhooks as (
    select * from {{ ref("stg_customerio__webhooks") }}
),

deliveries as (
    select * from {{ ref("stg_customerio__deliveries") }}
),

synced as (
    select
        workspace_id,
        metric_event_id,
        delivery_id,
        metric,
        reason,
        link_id,
        is_proxied,
        is_prefetched,
        is_machine,
        false as is_synthetic,
        'sync' as source,
        occurred_at
    from metrics
),

synced_seconds as (
    select distinct
        workspace_id,
        delivery_id,
        metric,
        coalesce(link_id, -1) as link_key,
        {{ dbt.date_trunc("second", "occurred_at") }} as occurred_second
    from synced
),

called as (
    select
        deliveries.workspace_id,
        webhooks.webhook_event_id as metric_event_id,
        webhooks.delivery_id,
        webhooks.metric,
        webhooks.reason,
        webhooks.link_id,
        webhooks.is_proxied,
        webhooks.is_prefetched,
        webhooks.is_machine,
        coalesce(webhooks.is_synthetic, false) as is_synthetic,
        'webhook' as source,
        webhooks.occurred_at
    from webhooks
    inner join deliveries
        on webhooks.delivery_id = deliveries.delivery_id
    left join synced_seconds
        on
            deliveries.workspace_id = synced_seconds.workspace_id
            and webhooks.delivery_id = synced_seconds.delivery_id
            and webhooks.metric = synced_seconds.metric
            and coalesce(webhooks.link_id, -1) = synced_seconds.link_key
            and {{ dbt.date_trunc("second", "webhooks.occurred_at") }}
            = synced_seconds.occurred_second
    where synced_seconds.delivery_id is null
),

united as (
    select * from synced
    union all
    select * from called
),

classified as (
    select
        workspace_id,
        metric_event_id,
        delivery_id,
        metric,
        reason,
        link_id,
        case
            when metric not in ('opened', 'clicked') then null
            when is_machine then 'machine'
            when metric = 'clicked' and not is_machine then 'human'
            when metric = 'clicked' then 'unknown'
            when is_prefetched then 'prefetched'
            when is_proxied then 'proxied'
            when is_synthetic or is_prefetched is null or is_proxied is null then 'unknown'
            else 'human'
        end as actor,
        source,
        occurred_at
    from united
)

select * from classified
