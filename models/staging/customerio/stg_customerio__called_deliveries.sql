-- The sync speaks of a workspace from its first delivery on: what a webhook tells of later ones waits
-- for it. Before that, and where the sync tells of none at all, the bodies are all there is.
with

webhooks as (
    select * from {{ ref("stg_customerio__webhooks") }}
),

synced_deliveries as (
    select * from {{ ref("stg_customerio__synced_deliveries") }}
),

synced_workspaces as (
    select * from {{ ref("stg_customerio__synced_workspaces") }}
),

placeholders as (
    select * from {{ ref("identity_placeholders") }}
),

words as (
    {{ placeholder_words("placeholders") }}
),

-- A statement about a person may name the message that caused it, and says nothing else of it.
summarised as (
    select
        webhooks.workspace_id,
        webhooks.delivery_id,
        max(webhooks.cio_id) as cio_id,
        max({{ somebody("webhooks.customer_id") }}) as customer_id,
        max({{ somebody("webhooks.email") }}) as email,
        max(webhooks.journey_entry_id) as journey_entry_id,
        max(webhooks.trigger_event_id) as trigger_event_id,
        max(webhooks.channel) as channel,
        max(webhooks.campaign_id) as campaign_id,
        max(webhooks.action_id) as action_id,
        max(webhooks.newsletter_id) as newsletter_id,
        max(webhooks.content_id) as content_id,
        max(webhooks.trigger_id) as trigger_id,
        max(webhooks.transactional_message_id) as transactional_message_id,
        min(webhooks.occurred_at) as created_at
    from webhooks
    cross join words
    where
        webhooks.workspace_id is not null
        and webhooks.delivery_id is not null
        and webhooks.channel <> 'customer'
    group by webhooks.workspace_id, webhooks.delivery_id
),

untold as (
    select
        summarised.workspace_id,
        summarised.delivery_id,
        {{ called_profile("summarised") }} as cio_id,
        summarised.journey_entry_id,
        summarised.trigger_event_id,
        summarised.channel,
        summarised.campaign_id,
        summarised.action_id,
        summarised.newsletter_id,
        summarised.content_id,
        summarised.trigger_id,
        summarised.transactional_message_id,
        summarised.created_at
    from summarised
    cross join words
    left join synced_deliveries
        on summarised.delivery_id = synced_deliveries.delivery_id
    left join synced_workspaces
        on summarised.workspace_id = synced_workspaces.workspace_id
    where
        synced_deliveries.delivery_id is null
        and (
            synced_workspaces.deliveries_since is null
            or summarised.created_at < synced_workspaces.deliveries_since
        )
)

select * from untold
