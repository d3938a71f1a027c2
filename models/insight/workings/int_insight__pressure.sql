with

cohorts as (
    select * from {{ ref("int_insight__cohorts") }}
),

deliveries as (
    select * from {{ ref("int_journeys__deliveries") }}
),

-- A transactional message is never an exposure, but it is one more message in the inbox.
happenings as (
    select
        person_id,
        'marketing_messages' as measure,
        exposed_at as occurred_at
    from deliveries
    where exposure_kind = 'real'
    union all
    select
        person_id,
        'transactional_messages' as measure,
        coalesce(sent_at, delivered_at) as occurred_at
    from deliveries
    where
        message_type = 'transactional'
        and bounced_at is null
        and dropped_at is null
        and failed_at is null
        and undeliverable_at is null
    {% for measure, instant in [
        ("unsubscribed", "unsubscribed_at"), ("complained", "spammed_at"), ("bounced", "bounced_at"),
    ] -%}
    union all
    select
        person_id,
        '{{ measure }}' as measure,
        {{ instant }} as occurred_at
    from deliveries
    where exposure_kind <> 'ghost'
    {% endfor %}
),

widened as (
    select
        person_id,
        measure,
        occurred_at
    from happenings
    union all
    select
        person_id,
        'messages' as measure,
        occurred_at
    from happenings
    where measure in ('marketing_messages', 'transactional_messages')
),

counted as (
    select
        cohorts.cohort_key,
        cohorts.person_id,
        cohorts.experiment_key,
        cohorts.arm,
        cohorts.allocation_version,
        widened.measure,
        count(*) as count_events
    from cohorts
    inner join widened
        on
            cohorts.person_id = widened.person_id
            and cohorts.starts_at <= widened.occurred_at
            and cohorts.ends_at > widened.occurred_at
    group by
        cohorts.cohort_key,
        cohorts.person_id,
        cohorts.experiment_key,
        cohorts.arm,
        cohorts.allocation_version,
        widened.measure
)

select * from counted
