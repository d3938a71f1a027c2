with

deliveries as (
    select * from {{ ref("stg_customerio__deliveries") }}
),

metrics as (
    select * from {{ ref("int_journeys__delivery_metrics") }}
),

ghosts as (
    select * from {{ ref("int_journeys__ghost_deliveries") }}
),

profiles as (
    select * from {{ ref("int_identity__profiles") }}
),

entries as (
    select * from {{ ref("int_journeys__entries") }}
),

lives as (
    select
        workspace_id,
        delivery_id,
        sum(case when metric = 'converted' then 1 else 0 end) as count_conversions,
        min(case when metric = 'sent' then occurred_at end) as sent_at,
        min(case when metric = 'delivered' then occurred_at end) as delivered_at,
        min(case when metric = 'opened' then occurred_at end) as opened_at,
        min(case when metric = 'opened' and actor = 'human' then occurred_at end) as human_opened_at,
        min(
            case when metric = 'opened' and actor = 'proxied' then occurred_at end
        ) as proxied_opened_at,
        min(
            case when metric = 'opened' and actor = 'prefetched' then occurred_at end
        ) as prefetched_opened_at,
        min(
            case when metric = 'opened' and actor = 'machine' then occurred_at end
        ) as machine_opened_at,
        min(
            case when metric = 'opened' and actor = 'unknown' then occurred_at end
        ) as unknown_opened_at,
        min(case when metric = 'clicked' then occurred_at end) as clicked_at,
        min(
            case when metric = 'clicked' and actor = 'human' then occurred_at end
        ) as human_clicked_at,
        min(
            case when metric = 'clicked' and actor = 'machine' then occurred_at end
        ) as machine_clicked_at,
        min(
            case when metric = 'clicked' and actor = 'unknown' then occurred_at end
        ) as unknown_clicked_at,
        min(case when metric = 'converted' then occurred_at end) as converted_at,
        min(case when metric = 'bounced' then occurred_at end) as bounced_at,
        min(case when metric in ('dropped', 'suppressed') then occurred_at end) as dropped_at,
        min(case when metric = 'failed' then occurred_at end) as failed_at,
        min(case when metric = 'undeliverable' then occurred_at end) as undeliverable_at,
        min(case when metric = 'unsubscribed' then occurred_at end) as unsubscribed_at,
        min(case when metric = 'spammed' then occurred_at end) as spammed_at,
        max(case when metric in ('sent', 'delivered') then occurred_at end) as last_carried_at,
        max(
            case
                when metric in ('bounced', 'dropped', 'suppressed', 'failed', 'undeliverable')
                    then occurred_at
            end
        ) as last_stopped_at
    from metrics
    group by workspace_id, delivery_id
),

joined as (
    select
        deliveries.workspace_id,
        deliveries.delivery_id,
        deliveries.cio_id,
        profiles.person_id,
        deliveries.journey_entry_id,
        cast(deliveries.campaign_id as {{ dbt.type_string() }}) as journey_id,
        {{ message_id("deliveries") }} as message_id,
        case
            when deliveries.transactional_message_id is not null then 'transactional'
            when deliveries.newsletter_id is not null then 'newsletter'
            when deliveries.trigger_id is not null then 'broadcast'
            when deliveries.campaign_id is not null then 'campaign'
            else 'unknown'
        end as message_type,
        deliveries.channel,
        deliveries.action_id,
        deliveries.newsletter_id,
        deliveries.content_id,
        deliveries.created_at,
        -- when an entry began that only its messages tell of is not known
        case when not entries.is_called then entries.entered_at end as entered_at,
        ghosts.delivery_id is not null as is_ghost,
        lives.last_carried_at is not null
        and (lives.last_stopped_at is null or lives.last_stopped_at < lives.last_carried_at)
            as is_reached,
        lives.count_conversions,
        lives.sent_at,
        lives.delivered_at,
        lives.opened_at,
        lives.human_opened_at,
        lives.proxied_opened_at,
        lives.prefetched_opened_at,
        lives.machine_opened_at,
        lives.unknown_opened_at,
        lives.clicked_at,
        lives.human_clicked_at,
        lives.machine_clicked_at,
        lives.unknown_clicked_at,
        lives.converted_at,
        lives.bounced_at,
        lives.dropped_at,
        lives.failed_at,
        lives.undeliverable_at,
        lives.unsubscribed_at,
        lives.spammed_at
    from deliveries
    left join lives
        on
            deliveries.workspace_id = lives.workspace_id
            and deliveries.delivery_id = lives.delivery_id
    left join ghosts
        on
            deliveries.workspace_id = ghosts.workspace_id
            and deliveries.delivery_id = ghosts.delivery_id
    left join profiles
        on
            deliveries.workspace_id = profiles.workspace_id
            and deliveries.cio_id = profiles.cio_id
    left join entries
        on
            deliveries.workspace_id = entries.workspace_id
            and deliveries.journey_entry_id = entries.journey_entry_id
),

judged as (
    select
        *,
        case
            when is_ghost then 'ghost'
            when message_type = 'transactional' then 'none'
            when channel in ('slack', 'webhook') then 'none'
            when is_reached then 'real'
            else 'none'
        end as exposure_kind
    from joined
),

explained as (
    select
        workspace_id,
        delivery_id,
        cio_id,
        person_id,
        journey_entry_id,
        journey_id,
        message_id,
        message_type,
        channel,
        action_id,
        newsletter_id,
        content_id,
        coalesce(count_conversions, 0) as count_conversions,
        created_at,
        sent_at,
        delivered_at,
        opened_at,
        human_opened_at,
        proxied_opened_at,
        prefetched_opened_at,
        machine_opened_at,
        unknown_opened_at,
        clicked_at,
        human_clicked_at,
        machine_clicked_at,
        unknown_clicked_at,
        converted_at,
        bounced_at,
        dropped_at,
        failed_at,
        undeliverable_at,
        unsubscribed_at,
        spammed_at,
        case when exposure_kind = 'real' then coalesce(sent_at, delivered_at) end as exposed_at,
        case when exposure_kind = 'ghost' then coalesce(sent_at, created_at) end as ghost_at,
        exposure_kind,
        case
            when exposure_kind <> 'none' then null
            when message_type = 'transactional' then 'transactional'
            when channel in ('slack', 'webhook') then 'not a message to a person'
            when bounced_at is not null then 'bounced'
            when dropped_at is not null then 'dropped'
            when failed_at is not null then 'failed'
            when undeliverable_at is not null then 'undeliverable'
            else 'not sent'
        end as not_exposed_reason,
        {{ minutes_between("entered_at", "coalesce(sent_at, delivered_at, created_at)") }}
            as minutes_since_trigger
    from judged
)

select * from explained
