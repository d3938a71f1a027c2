-- When each person of a journey is asked about a message: at an instant at which it came to somebody,
-- drawn by hash and counted from the own start. Shown or not, in either arm, by the same clock: who is
-- asked when depends on nothing that they did, so the arms stay comparable whatever the sends select.
{%- set timing = "cast(cells.timing_number as " ~ dbt.type_string() ~ ")" %}
with

cohorts as (
    select * from {{ ref("int_insight__cohorts") }}
    where journey_id is not null
),

arms as (
    select * from {{ ref("int_experiments__arms") }}
),

metrics as (
    select * from {{ ref("metrics") }}
),

sends as (
    select * from {{ ref("int_insight__sends") }}
),

-- Two variants, or two delays, are no control of a message.
seasons as (
    select
        arms.experiment_key,
        metrics.metric_key,
        metrics.behavior,
        max(case when arms.kind = 'journey_holdout' then arms.control_arm end) as control_arm
    from arms
    inner join metrics
        on arms.primary_metric = metrics.metric_key
    group by arms.experiment_key, metrics.metric_key, metrics.behavior
),

people as (
    select
        cohorts.cohort_key,
        cohorts.person_id,
        coalesce(cohorts.arm, '') as arm,
        coalesce(seasons.control_arm, '-') as control_arm,
        cohorts.allocation_version,
        seasons.metric_key,
        coalesce(seasons.behavior, 'order_placed') as behavior,
        cohorts.starts_at,
        cohorts.ends_at
    from cohorts
    left join seasons
        on cohorts.experiment_key = seasons.experiment_key
    where
        cohorts.experiment_key is null
        or seasons.experiment_key is not null
),

clocks as (
    select
        cohort_key,
        arm as shown_arm,
        message_id,
        timing_number,
        seconds_after,
        row_number() over (
            partition by cohort_key, arm, message_id, timing_number
            order by seconds_after, person_id
        ) as place,
        count(*) over (partition by cohort_key, arm, message_id, timing_number) as count_sends
    from sends
),

-- What hardly anybody got at such a time says nothing, and would cost all other cells certainty.
cells as (
    select distinct
        cohort_key,
        shown_arm,
        message_id,
        timing_number,
        count_sends
    from clocks
    where not ({{ has_few_events("count_sends") }})
),

drawn as (
    select
        people.*,
        cells.shown_arm,
        cells.message_id,
        cells.timing_number,
        cast(
            floor(
                {{ hash_bucket("cells.message_id || '-' || " ~ timing, "people.person_id") }}
                * cells.count_sends / 10000.0
            ) as {{ dbt.type_bigint() }}
        ) + 1 as place
    from people
    inner join cells
        on
            people.cohort_key = cells.cohort_key
            and (people.arm = cells.shown_arm or people.arm = people.control_arm)
            and people.control_arm <> cells.shown_arm
),

clocked as (
    select
        drawn.cohort_key,
        drawn.shown_arm,
        drawn.message_id,
        drawn.timing_number,
        drawn.person_id,
        drawn.arm,
        drawn.allocation_version,
        drawn.metric_key,
        drawn.behavior,
        drawn.starts_at,
        {{ dbt.dateadd("second", "clocks.seconds_after", "drawn.starts_at") }} as reached_at,
        drawn.ends_at
    from drawn
    inner join clocks
        on
            drawn.cohort_key = clocks.cohort_key
            and drawn.shown_arm = clocks.shown_arm
            and drawn.message_id = clocks.message_id
            and drawn.timing_number = clocks.timing_number
            and drawn.place = clocks.place
)

select * from clocked
