with

cohort_arms as (
    select * from {{ ref("int_insight__cohort_arms") }}
),

pressure as (
    select * from {{ ref("int_insight__pressure") }}
),

pressed as (
    select
        cohort_key,
        coalesce(arm, '') as arm,
        allocation_version,
        measure,
        count(*) as count_persons,
        sum(count_events) as count_events
    from pressure
    group by cohort_key, coalesce(arm, ''), allocation_version, measure
),

{{ counted_by_cohort("pressure", pressure_measures(), "pressed") }}

select * from counted
