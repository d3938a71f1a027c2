-- Each message a person got while still subscribed, with how many came in the seven days up to it, and
-- whether this one made them leave. Of a band only the first counts: a person is a unit once.
with

cohorts as (
    select * from {{ ref("int_insight__cohorts") }}
),

deliveries as (
    select * from {{ ref("int_journeys__deliveries") }}
    where
        exposure_kind = 'real'
        and person_id is not null
),

left_at as (
    select
        person_id,
        min(least(coalesce(unsubscribed_at, spammed_at), coalesce(spammed_at, unsubscribed_at))) as left_at
    from deliveries
    where
        unsubscribed_at is not null
        or spammed_at is not null
    group by person_id
),

dosed as (
    select
        workspace_id,
        delivery_id,
        person_id,
        unsubscribed_at is not null as is_unsubscribed,
        spammed_at is not null as is_complained,
        exposed_at,
        count(*) over (
            partition by person_id
            order by {{ dbt.datediff(epoch(), "exposed_at", "second") }}
            range between 604799 preceding and current row
        ) as count_week
    from deliveries
),

banded as (
    select
        cohorts.cohort_key,
        cohorts.workspace_id,
        cohorts.journey_id,
        cohorts.experiment_key,
        cohorts.arm,
        cohorts.person_id,
        dosed.count_week,
        {{ dose_number_of("dosed.count_week") }} as dose_number,
        dosed.is_unsubscribed,
        dosed.is_complained,
        row_number() over (
            partition by cohorts.cohort_key, cohorts.person_id, {{ dose_number_of("dosed.count_week") }}
            order by dosed.exposed_at, dosed.delivery_id
        ) as place
    from cohorts
    inner join dosed
        on
            cohorts.person_id = dosed.person_id
            and cohorts.starts_at <= dosed.exposed_at
            and cohorts.ends_at > dosed.exposed_at
    left join left_at
        on cohorts.person_id = left_at.person_id
    where coalesce(dosed.exposed_at <= left_at.left_at, true)
),

counted as (
    select
        cohort_key,
        workspace_id,
        journey_id,
        experiment_key,
        arm,
        dose_number,
        count(*) as count_messages,
        sum(case when place = 1 then 1 else 0 end) as count_persons,
        sum(case when place = 1 and is_unsubscribed then 1 else 0 end) as count_unsubscribed,
        sum(case when place = 1 and is_complained then 1 else 0 end) as count_complained,
        sum(case when place = 1 and (is_unsubscribed or is_complained) then 1 else 0 end) as count_left
    from banded
    group by cohort_key, workspace_id, journey_id, experiment_key, arm, dose_number
)

select * from counted
