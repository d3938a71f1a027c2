-- The sync and the webhooks tell of the same events, and the vendor leaves open whether under the same
-- ids: an event of both is found by its id, then by where and when it happened, and told once, with
-- what either knows of it.
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

feeds as (
    select 'sync' as feed
    union all
    select 'webhook' as feed
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
        webhooks.is_synthetic,
        webhooks.occurred_at
    from webhooks
    inner join deliveries
        on webhooks.delivery_id = deliveries.delivery_id
),

same_ids as (
    select
        called.workspace_id,
        called.metric,
        metrics.metric_event_id as sync_event_id,
        called.metric_event_id as webhook_event_id
    from called
    inner join metrics
        on
            called.workspace_id = metrics.workspace_id
            and called.metric_event_id = metrics.metric_event_id
            and called.metric = metrics.metric
),

told_by_webhook as (
    select
        called.workspace_id,
        called.delivery_id,
        called.metric,
        'webhook' as feed,
        called.metric_event_id,
        called.link_id,
        called.occurred_at
    from called
    left join same_ids
        on
            called.workspace_id = same_ids.workspace_id
            and called.metric = same_ids.metric
            and called.metric_event_id = same_ids.webhook_event_id
    where same_ids.webhook_event_id is null
),

-- Only these deliveries can have anything to match.
called_deliveries as (
    select distinct
        workspace_id,
        delivery_id,
        metric
    from told_by_webhook
),

told_by_sync as (
    select
        metrics.workspace_id,
        metrics.delivery_id,
        metrics.metric,
        'sync' as feed,
        metrics.metric_event_id,
        metrics.link_id,
        metrics.occurred_at
    from metrics
    inner join called_deliveries
        on
            metrics.workspace_id = called_deliveries.workspace_id
            and metrics.delivery_id = called_deliveries.delivery_id
            and metrics.metric = called_deliveries.metric
    left join same_ids
        on
            metrics.workspace_id = same_ids.workspace_id
            and metrics.metric = same_ids.metric
            and metrics.metric_event_id = same_ids.sync_event_id
    where same_ids.sync_event_id is null
),

unmatched as (
    select * from told_by_sync
    union all
    select * from told_by_webhook
),

linked as (
    select
        *,
        coalesce(link_id, -1) as link_key
    from unmatched
),

{{ paired_in_time(
    "linked",
    ["workspace_id", "delivery_id", "metric", "link_key"],
    var("feed_tolerance_seconds"),
    into="same_links"
) }},

matched as (
    select
        same_links.workspace_id,
        same_links.metric,
        feeds.feed,
        case when feeds.feed = 'sync' then same_links.sync_event_id else same_links.webhook_event_id end
            as metric_event_id
    from same_links
    cross join feeds
),

-- A click whose link only one feed knows: what is blank in the one may match anything in the other.
half_linked as (
    select
        unmatched.workspace_id,
        unmatched.delivery_id,
        unmatched.metric,
        case
            when unmatched.link_id is null then unmatched.feed
            when unmatched.feed = 'sync' then 'webhook'
            else 'sync'
        end as feed_without_link,
        unmatched.feed,
        unmatched.metric_event_id,
        unmatched.occurred_at
    from unmatched
    left join matched
        on
            unmatched.workspace_id = matched.workspace_id
            and unmatched.metric = matched.metric
            and unmatched.feed = matched.feed
            and unmatched.metric_event_id = matched.metric_event_id
    where matched.metric_event_id is null
),

{{ paired_in_time(
    "half_linked",
    ["workspace_id", "delivery_id", "metric", "feed_without_link"],
    var("feed_tolerance_seconds"),
    into="same_instants"
) }},

pairs as (
    select
        workspace_id,
        metric,
        sync_event_id,
        webhook_event_id
    from same_ids
    union all
    select
        workspace_id,
        metric,
        sync_event_id,
        webhook_event_id
    from same_links
    union all
    select
        workspace_id,
        metric,
        sync_event_id,
        webhook_event_id
    from same_instants
),

-- Where the feeds contradict each other, the one that calls it a machine's is believed.
united as (
    select
        coalesce(metrics.workspace_id, called.workspace_id) as workspace_id,
        coalesce(metrics.metric_event_id, called.metric_event_id) as metric_event_id,
        called.metric_event_id as webhook_event_id,
        coalesce(metrics.delivery_id, called.delivery_id) as delivery_id,
        coalesce(metrics.metric, called.metric) as metric,
        coalesce(metrics.reason, called.reason) as reason,
        coalesce(metrics.link_id, called.link_id) as link_id,
        {{ told_by_either("metrics.is_proxied", "called.is_proxied") }} as is_proxied,
        {{ told_by_either("metrics.is_prefetched", "called.is_prefetched") }} as is_prefetched,
        {{ told_by_either("metrics.is_machine", "called.is_machine") }} as is_machine,
        called.is_synthetic,
        case
            when called.metric_event_id is null then 'sync'
            when metrics.metric_event_id is null then 'webhook'
            else 'both'
        end as source,
        coalesce(metrics.occurred_at, called.occurred_at) as occurred_at
    from metrics
    left join pairs
        on
            metrics.workspace_id = pairs.workspace_id
            and metrics.metric = pairs.metric
            and metrics.metric_event_id = pairs.sync_event_id
    full join called
        on
            pairs.workspace_id = called.workspace_id
            and pairs.metric = called.metric
            and pairs.webhook_event_id = called.metric_event_id
),

classified as (
    select
        workspace_id,
        metric_event_id,
        webhook_event_id,
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
