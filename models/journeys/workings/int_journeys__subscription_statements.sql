-- What the feeds say of a person's subscription as a whole: about a delivery, or about the person. A
-- topic is not the whole.
with

metrics as (
    select * from {{ ref("int_journeys__delivery_metrics") }}
    where metric in ('unsubscribed', 'spammed', 'subscribed')
),

webhooks as (
    select * from {{ ref("stg_customerio__webhooks") }}
    where metric in ('unsubscribed', 'spammed', 'subscribed')
),

deliveries as (
    select * from {{ ref("int_journeys__deliveries") }}
    where person_id is not null
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

about_deliveries as (
    select
        metrics.workspace_id,
        metrics.metric_event_id as statement_id,
        deliveries.person_id,
        metrics.metric,
        'delivery' as subject,
        metrics.occurred_at as stated_at
    from metrics
    inner join deliveries
        on
            metrics.workspace_id = deliveries.workspace_id
            and metrics.delivery_id = deliveries.delivery_id
),

-- Whatever names no delivery that we know of: an opt-out need not wait for the sync to tell of it.
told_of_people as (
    select webhooks.*
    from webhooks
    left join deliveries
        on webhooks.delivery_id = deliveries.delivery_id
    where deliveries.delivery_id is null
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
-- what takes it back in none: the attribute of the right one will say so.
meant as (
    select
        *,
        count(*) over (partition by webhook_event_id, metric) as count_meant
    from resolved
),

about_people as (
    select
        meant.workspace_id,
        told_of_people.webhook_event_id as statement_id,
        meant.person_id,
        told_of_people.metric,
        'person' as subject,
        told_of_people.occurred_at as stated_at
    from told_of_people
    left join meant
        on
            told_of_people.webhook_event_id = meant.webhook_event_id
            and told_of_people.metric = meant.metric
            and (told_of_people.metric <> 'subscribed' or meant.count_meant = 1)
),

united as (
    select * from about_deliveries
    union all
    select * from about_people
),

stated as (
    select
        workspace_id,
        statement_id,
        person_id,
        metric,
        subject,
        metric <> 'subscribed' as is_unsubscribed,
        stated_at
    from united
)

select * from stated
