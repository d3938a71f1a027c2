-- A body does not say its workspace: it is that of its delivery, else the only one there can be.
with

webhooks as (
    select * from {{ source("customerio", "webhooks") }}
),

files as (
    select * from {{ ref("stg_loads__file_sequences") }}
),

synced_deliveries as (
    select * from {{ ref("stg_customerio__synced_deliveries") }}
),

synced_workspaces as (
    select * from {{ ref("stg_customerio__synced_workspaces") }}
),

workspaces as (
    select * from {{ ref("workspaces") }}
),

typed as (
    select
        webhooks.event_id as webhook_event_id,
        webhooks.workspace_id,
        {{ json_id("webhooks.data", "delivery_id") }} as delivery_id,
        {{ json_id("webhooks.data", "identifiers.cio_id") }} as cio_id,
        {{ json_id("webhooks.data", "identifiers.id") }} as customer_id,
        coalesce(
            {{ not_blank(json_text("webhooks.data", "identifiers.email")) }},
            {{ not_blank(json_text("webhooks.data", "email_address")) }}
        ) as email,
        {{ json_id("webhooks.data", "customer_id") }} as deprecated_customer_id,
        {{ json_id("webhooks.data", "journey_id") }} as journey_entry_id,
        {{ json_id("webhooks.data", "trigger_event_id") }} as trigger_event_id,
        {{ lowered(trimmed("webhooks.metric")) }} as metric,
        {{ channel("webhooks.object_type") }} as channel,
        {{ lowered(not_blank(json_text("webhooks.data", "recipient"))) }} as recipient,
        {{ json_text("webhooks.data", "failure_message") }} as reason,
        {{ json_text("webhooks.data", "href") }} as link_url,
        {{ json_text("webhooks.data", "content") }} as body_content,
        {%- for number in [
            "link_id", "campaign_id", "broadcast_id", "action_id", "newsletter_id", "content_id",
            "trigger_id", "transactional_message_id",
        ] %}
        {{ whole_number(json_text("webhooks.data", number)) }} as {{ number }},
        {%- endfor %}
        {%- for mark in ["proxied", "prefetched", "synthetic", "machine"] %}
        {{ flag(json_text("webhooks.data", mark)) }} as is_{{ mark }},
        {%- endfor %}
        webhooks.occurred_at,
        webhooks._source_file,
        files.loaded_at as learned_at
    from webhooks
    left join files
        on webhooks._source_file = files.file_name
    where
        webhooks.event_id is not null
        and webhooks.metric is not null
),

-- Of bodies that differ under one id, the later; what any of them called a machine's stays one.
ranked as (
    select
        *,
        {%- for mark in ["proxied", "prefetched", "synthetic", "machine"] %}
        {{ told_by_any("is_" ~ mark, "webhook_event_id, metric") }} as is_ever_{{ mark }},
        {%- endfor %}
        min(learned_at) over (partition by webhook_event_id, metric) as first_learned_at,
        row_number() over (
            partition by webhook_event_id, metric
            order by
                occurred_at desc,
                _source_file desc,
                delivery_id desc nulls last,
                link_id desc nulls last,
                cio_id desc nulls last,
                customer_id desc nulls last,
                email desc nulls last,
                deprecated_customer_id desc nulls last,
                journey_entry_id desc nulls last,
                body_content desc nulls last,
                workspace_id desc nulls last,
                trigger_event_id desc nulls last,
                channel desc nulls last,
                recipient desc nulls last,
                reason desc nulls last,
                link_url desc nulls last,
                campaign_id desc nulls last,
                broadcast_id desc nulls last,
                action_id desc nulls last,
                newsletter_id desc nulls last,
                content_id desc nulls last,
                trigger_id desc nulls last,
                transactional_message_id desc nulls last
        ) as version_rank
    from typed
    where occurred_at < {{ as_of() }}
),

latest as (
    select * from ranked
    where version_rank = 1
),

called_deliveries as (
    select distinct delivery_id from latest
),

placed_deliveries as (
    select
        synced_deliveries.delivery_id,
        min(synced_deliveries.workspace_id) as workspace_id
    from synced_deliveries
    inner join called_deliveries
        on synced_deliveries.delivery_id = called_deliveries.delivery_id
    group by synced_deliveries.delivery_id
),

counted_workspaces as (
    select
        count(*) as count_workspaces,
        min(workspace_id) as workspace_id
    from synced_workspaces
),

listed_workspaces as (
    select
        count(*) as count_workspaces,
        min(workspace_id) as workspace_id
    from workspaces
),

-- The only one that the sync knows; without a sync, the only one of the registry, or one without a name.
sole_workspace as (
    select
        case
            when counted_workspaces.count_workspaces = 1 then counted_workspaces.workspace_id
            when counted_workspaces.count_workspaces > 1 then null
            when listed_workspaces.count_workspaces = 1 then listed_workspaces.workspace_id
            else 0
        end as workspace_id
    from counted_workspaces
    cross join listed_workspaces
),

placed as (
    select
        latest.webhook_event_id,
        coalesce(
            latest.workspace_id,
            placed_deliveries.workspace_id,
            sole_workspace.workspace_id
        ) as workspace_id,
        latest.delivery_id,
        latest.cio_id,
        case
            when coalesce(latest.cio_id, latest.customer_id, latest.email) is null
                then latest.deprecated_customer_id
            else latest.customer_id
        end as customer_id,
        latest.email,
        latest.journey_entry_id,
        latest.trigger_event_id,
        latest.metric,
        latest.channel,
        latest.recipient,
        latest.reason,
        latest.link_id,
        latest.link_url,
        latest.body_content,
        coalesce(latest.campaign_id, latest.broadcast_id) as campaign_id,
        latest.action_id,
        latest.newsletter_id,
        latest.content_id,
        latest.trigger_id,
        latest.transactional_message_id,
        latest.is_ever_proxied as is_proxied,
        latest.is_ever_prefetched as is_prefetched,
        latest.is_ever_synthetic as is_synthetic,
        latest.is_ever_machine as is_machine,
        latest.occurred_at,
        latest.first_learned_at as learned_at
    from latest
    cross join sole_workspace
    left join placed_deliveries
        on latest.delivery_id = placed_deliveries.delivery_id
)

select * from placed
