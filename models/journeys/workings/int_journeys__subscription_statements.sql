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
    select * from {{ ref("int_identity__identifiers") }}
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

-- Workspaces may compare one identifier in different ways; usually there is one.
spellings as (
    select distinct
        identifier_type,
        is_trimmed,
        is_lowered
    from rules
),

spelled as (
    select
        without_profile.webhook_event_id,
        without_profile.metric,
        without_profile.workspace_id,
        without_profile.occurred_at,
        spellings.identifier_type,
        spellings.is_trimmed,
        spellings.is_lowered,
        case spellings.identifier_type
            when 'customer_id' then {{ normalised("without_profile.customer_id", "spellings") }}
            else {{ normalised("without_profile.email", "spellings") }}
        end as identifier
    from without_profile
    cross join spellings
),

candidates as (
    select
        spelled.webhook_event_id,
        spelled.metric,
        identifiers.workspace_id,
        identifiers.person_id,
        row_number() over (
            partition by spelled.webhook_event_id, spelled.metric, identifiers.workspace_id
            order by rules.preference, rules.identifier_type
        ) as candidate_rank
    from spelled
    inner join rules
        on
            spelled.identifier_type = rules.identifier_type
            and spelled.is_trimmed = rules.is_trimmed
            and spelled.is_lowered = rules.is_lowered
            and (spelled.workspace_id is null or spelled.workspace_id = rules.workspace_id)
    inner join identifiers
        on
            rules.workspace_id = identifiers.workspace_id
            and spelled.identifier_type = identifiers.identifier_type
            and spelled.identifier = identifiers.identifier
            and spelled.occurred_at >= identifiers.valid_from
            and (identifiers.valid_to is null or spelled.occurred_at < identifiers.valid_to)
),

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
    from candidates
    where candidate_rank = 1
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
