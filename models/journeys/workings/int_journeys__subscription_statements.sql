-- What the feeds say of a person's subscription as a whole: about a delivery, or about the person. A
-- topic is not the whole.
with

metrics as (
    select * from {{ ref("int_journeys__delivery_metrics") }}
    where metric in ('unsubscribed', 'spammed', 'subscribed')
),

called_persons as (
    select * from {{ ref("int_journeys__called_persons") }}
    where metric in ('unsubscribed', 'spammed', 'subscribed')
),

deliveries as (
    select * from {{ ref("int_journeys__deliveries") }}
    where person_id is not null
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

about_people as (
    select
        workspace_id,
        statement_id,
        person_id,
        metric,
        'person' as subject,
        stated_at
    from called_persons
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
