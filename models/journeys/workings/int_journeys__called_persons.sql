with

webhooks as (
    select * from {{ ref("stg_customerio__webhooks") }}
    where metric in ('unsubscribed', 'spammed', 'subscribed', 'cio_subscription_preferences_changed')
),

-- few are called of: the others need not be sorted, or sent to whoever looks one up
deliveries as (
    select delivery_id from {{ ref("int_journeys__deliveries") }}
    where
        person_id is not null
        and delivery_id in (select webhooks.delivery_id from webhooks)
),

identifiers as (
    select * from {{ ref("map_identifiers") }}
),

rules as (
    select * from {{ ref("int_identity__rules") }}
    where
        identifier_type in ('customer_id', 'email')
        and is_linking
),

-- Whatever names no delivery that we know of: an opt-out need not wait for the sync to tell of it. What
-- somebody prefers is about the person whatever message made them say so.
told_of_people as (
    select webhooks.*
    from webhooks
    left join deliveries
        on webhooks.delivery_id = deliveries.delivery_id
    where
        deliveries.delivery_id is null
        or webhooks.metric = 'cio_subscription_preferences_changed'
),

by_profile as (
    select
        told_of_people.webhook_event_id,
        told_of_people.metric,
        identifiers.workspace_id,
        identifiers.person_id
    from told_of_people
    inner join identifiers
        on
            told_of_people.cio_id = identifiers.identifier
            and (
                told_of_people.workspace_id is null
                or told_of_people.workspace_id = identifiers.workspace_id
            )
    where identifiers.identifier_type = 'cio_id'
),

without_profile as (
    select told_of_people.*
    from told_of_people
    left join by_profile
        on
            told_of_people.webhook_event_id = by_profile.webhook_event_id
            and told_of_people.metric = by_profile.metric
    where by_profile.webhook_event_id is null
),

{{ holders_then("without_profile", ["webhook_event_id", "metric"], knows_workspace=true) }},

resolved as (
    select
        webhook_event_id,
        metric,
        workspace_id,
        person_id
    from by_profile
    union all
    select
        webhook_event_id,
        metric,
        workspace_id,
        person_id
    from holders
),

-- A body does not say its workspace. Where somebody is meant in several, an opt-out counts in each and
-- what takes it back, or speaks of a topic, in none: the attribute of the right one will say so.
meant as (
    select
        *,
        count(*) over (partition by webhook_event_id, metric) as count_meant
    from resolved
),

stated as (
    select
        meant.workspace_id,
        told_of_people.webhook_event_id as statement_id,
        meant.person_id,
        told_of_people.metric,
        told_of_people.body_content,
        told_of_people.occurred_at as stated_at
    from told_of_people
    left join meant
        on
            told_of_people.webhook_event_id = meant.webhook_event_id
            and told_of_people.metric = meant.metric
            and (told_of_people.metric in ('unsubscribed', 'spammed') or meant.count_meant = 1)
)

select * from stated
