-- Each message is read where it was first really shown, in the first pass that showed anything: what a
-- later pass sends comes after that pass's trigger, not after the one in which arms were drawn.
with

cohorts as (
    select * from {{ ref("int_insight__cohorts") }}
),

deliveries as (
    select * from {{ ref("int_journeys__deliveries") }}
    where
        exposure_kind = 'real'
        and message_id is not null
),

exposed as (
    select
        cohorts.cohort_key,
        coalesce(cohorts.arm, '') as arm,
        cohorts.person_id,
        deliveries.message_id,
        deliveries.channel,
        deliveries.journey_entry_id,
        first_value(deliveries.journey_entry_id) over (
            partition by cohorts.cohort_key, cohorts.person_id
            order by deliveries.exposed_at, deliveries.delivery_id
        ) as first_entry_id,
        row_number() over (
            partition by cohorts.cohort_key, cohorts.person_id, deliveries.message_id
            order by deliveries.exposed_at, deliveries.delivery_id
        ) as place,
        coalesce(
            deliveries.minutes_since_trigger,
            {{ minutes_between("cohorts.starts_at", "deliveries.exposed_at") }}
        ) as minutes_since_trigger,
        cohorts.starts_at,
        deliveries.exposed_at as shown_at
    from cohorts
    inner join deliveries
        on
            cohorts.person_id = deliveries.person_id
            and cohorts.journey_id = deliveries.journey_id
            and (
                cohorts.workspace_id is null
                or cohorts.workspace_id = deliveries.workspace_id
            )
            and cohorts.starts_at <= deliveries.exposed_at
            and cohorts.ends_at > deliveries.exposed_at
),

timed as (
    select
        cohort_key,
        arm,
        person_id,
        message_id,
        channel,
        {{ timing_number_of("minutes_since_trigger") }} as timing_number,
        {{ dbt.datediff("starts_at", "shown_at", "second") }}
            as seconds_after,
        shown_at
    from exposed
    where
        place = 1
        and coalesce(journey_entry_id, '') = coalesce(first_entry_id, '')
)

select * from timed
