-- Each message of an arm's people with how many came in the seven days up to it: a person counts once a
-- band, by the first message of it.
with

told as (
    select
        person_id,
        delivery_id,
        exposed_at,
        unsubscribed_at,
        spammed_at,
        epoch(date_trunc('second', exposed_at)) as second
    from {int_journeys__deliveries}
    where exposure_kind = 'real'
),

left_at as (
    select
        person_id,
        min(least(unsubscribed_at, spammed_at)) as left_at
    from told
    group by person_id
),

mine as (
    select
        cohorts.person_id,
        told.delivery_id,
        told.exposed_at,
        told.unsubscribed_at is not null as is_unsubscribed,
        told.spammed_at is not null as is_complained,
        (
            select count(*)
            from told as around
            where
                around.person_id = cohorts.person_id
                and around.second between told.second - 604799 and told.second
        ) as count_week
    from {int_insight__cohorts} as cohorts
    inner join told
        on
            cohorts.person_id = told.person_id
            and cohorts.starts_at <= told.exposed_at
            and cohorts.ends_at > told.exposed_at
    left join left_at on cohorts.person_id = left_at.person_id
    where
        cohorts.cohort_key = coalesce(
            'experiment:' || $experiment_key, 'journey:' || $workspace_id || ':' || $journey_id
        )
        and cohorts.arm is not distinct from $arm
        and (left_at.left_at is null or told.exposed_at <= left_at.left_at)
),

declared as (
    select
        unnest($insight_dose_bands) as least_messages,
        unnest(range(1, len($insight_dose_bands) + 1)) as band
),

banded as (
    select
        mine.*,
        declared.band
    from mine
    inner join declared on mine.count_week >= declared.least_messages
    qualify row_number() over (partition by mine.delivery_id, mine.person_id order by declared.band desc) = 1
),

firsts as (
    select
        band,
        person_id,
        arg_min(is_unsubscribed, (exposed_at, delivery_id)) as is_unsubscribed,
        arg_min(is_complained, (exposed_at, delivery_id)) as is_complained,
        count(*) as count_messages
    from banded
    group by band, person_id
),

bands as (
    select
        band,
        sum(count_messages) as count_messages,
        count(*) as count_persons,
        count(*) filter (is_unsubscribed) as count_unsubscribed,
        count(*) filter (is_complained) as count_complained,
        count(*) filter (is_unsubscribed or is_complained) as count_left
    from firsts
    group by band
),

lowest as (
    select
        arg_min(count_left / count_persons, band) as rate,
        sum(count_messages) as count_messages
    from bands
),

weeks as (
    select sum(date_diff('second', starts_at, ends_at)) / 604800 as count_person_weeks
    from {int_insight__cohorts}
    where
        cohort_key = coalesce(
            'experiment:' || $experiment_key, 'journey:' || $workspace_id || ':' || $journey_id
        )
        and arm is not distinct from $arm
)

select
    bands.count_messages as count_rows,
    bands.* exclude (band),
    bands.count_left / bands.count_persons as rate,
    case when $rise is not null then bands.count_left / bands.count_persons - lowest.rate end as rise,
    lowest.count_messages / weeks.count_person_weeks as messages_per_week,
    (
        select difference
        from {fct_message_pressure}
        where
            measure = 'unsubscribed'
            and experiment_key = $experiment_key
            and arm = $arm
    ) as arm_difference
from bands
cross join weeks
cross join lowest
where bands.band = $dose_number
