-- A body does not say its workspace: it is that of its delivery, else the only one there can be.
{%- set texts = ["email_address", "recipient", "failure_message", "href", "content"] -%}
{%- set numbers = [
    "link_id", "campaign_id", "broadcast_id", "action_id", "newsletter_id", "content_id", "trigger_id",
    "transactional_message_id",
] -%}
{%- set marks = ["proxied", "prefetched", "synthetic", "machine"] %}
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

-- Each value is looked for in the body once, and then read as what it says.
said as (
    select
        event_id,
        workspace_id,
        metric,
        object_type,
        {%- for id in ["delivery_id", "customer_id", "journey_id", "trigger_event_id"] %}
        {{ json_id("data", id) }} as {{ id }},
        {%- endfor %}
        {{ json_id("data", "identifiers.cio_id") }} as cio_id,
        {{ json_id("data", "identifiers.id") }} as identifier,
        {{ json_text("data", "identifiers.email") }} as email,
        {%- for text in texts + numbers + marks %}
        {{ json_text("data", text) }} as {{ text }},
        {%- endfor %}
        occurred_at,
        _source_file
    from webhooks
    where
        event_id is not null
        and metric is not null
),

typed as (
    select
        said.event_id as webhook_event_id,
        said.workspace_id,
        said.delivery_id,
        said.cio_id,
        said.identifier as customer_id,
        coalesce({{ not_blank("said.email") }}, {{ not_blank("said.email_address") }}) as email,
        said.customer_id as deprecated_customer_id,
        said.journey_id as journey_entry_id,
        said.trigger_event_id,
        {{ lowered(trimmed("said.metric")) }} as metric,
        {{ channel("said.object_type") }} as channel,
        {{ lowered(not_blank("said.recipient")) }} as recipient,
        said.failure_message as reason,
        said.href as link_url,
        said.content as body_content,
        {%- for number in numbers %}
        {{ whole_number("said." ~ number) }} as {{ number }},
        {%- endfor %}
        {%- for mark in marks %}
        {{ flag("said." ~ mark) }} as is_{{ mark }},
        {%- endfor %}
        said.occurred_at,
        said._source_file,
        files.loaded_at as learned_at
    from said
    left join files
        on said._source_file = files.file_name
),

-- Of bodies that differ under one id, the later; what any of them called a machine's stays one.
ranked as (
    select
        *,
        {%- for mark in marks %}
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
