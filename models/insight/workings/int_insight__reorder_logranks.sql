-- Did a reminder move the curve? Everybody assigned who had bought the category before waits from
-- the assignment on, in both arms, until the next order of it or the end of what is seen. Expected
-- are the reorders an arm would have if the two curves were one.
with

arms as (
    select * from {{ ref("int_experiments__arms") }}
),

cohorts as (
    select * from {{ ref("int_insight__cohorts") }}
),

behavior_events as (
    select * from {{ ref("int_identity__behavior_events") }}
),

bought as (
    select
        person_id,
        {{ lowered(trimmed("category")) }} as category,
        occurred_at
    from behavior_events
    where
        behavior = 'order_placed'
        and {{ not_blank("category") }} is not null
),

-- Only who bought before the assignment can reorder.
waiting as (
    select
        cohorts.experiment_key,
        cohorts.arm,
        cohorts.allocation_version,
        cohorts.person_id,
        bought.category,
        min(cohorts.starts_at) as starts_at,
        min(
            case when cohorts.starts_at <= bought.occurred_at then bought.occurred_at end
        ) as reordered_at
    from cohorts
    inner join bought
        on cohorts.person_id = bought.person_id
    where cohorts.experiment_key is not null
    group by
        cohorts.experiment_key,
        cohorts.arm,
        cohorts.allocation_version,
        cohorts.person_id,
        bought.category
    having min(bought.occurred_at) < min(cohorts.starts_at)
),

timed as (
    select
        experiment_key,
        arm,
        allocation_version,
        category,
        {{ dbt.datediff("starts_at", "coalesce(reordered_at, " ~ as_of() ~ ")", "day") }}
            as wait_days,
        reordered_at is not null as is_completed
    from waiting
),

-- Each arm against its control; the control's people stand on both sides of as many comparisons as
-- there are arms.
sided as (
    select
        pairs.experiment_key,
        pairs.arm,
        pairs.control_arm,
        pairs.z_critical,
        timed.allocation_version,
        timed.category,
        timed.wait_days,
        case when timed.arm = pairs.arm then 1 else 0 end as is_treated,
        case when timed.is_completed then 1 else 0 end as is_completed
    from arms as pairs
    inner join timed
        on
            pairs.experiment_key = timed.experiment_key
            and pairs.allocation_version = timed.allocation_version
            and timed.arm in (pairs.arm, pairs.control_arm)
    where
        pairs.kind = 'journey_holdout'
        and pairs.arm <> pairs.control_arm
),

days as (
    select
        experiment_key,
        arm,
        control_arm,
        z_critical,
        allocation_version,
        category,
        wait_days,
        count(*) as count_units,
        sum(is_treated) as count_treated,
        sum(is_completed) as count_reorders,
        sum(is_treated * is_completed) as count_reorders_treated
    from sided
    group by
        experiment_key, arm, control_arm, z_critical, allocation_version, category, wait_days
),

at_risk as (
    select
        *,
        cast(
            sum(count_units) over (
                partition by experiment_key, arm, allocation_version, category
                order by wait_days desc
                rows between unbounded preceding and current row
            ) as double
        ) as units_at_risk,
        cast(
            sum(count_treated) over (
                partition by experiment_key, arm, allocation_version, category
                order by wait_days desc
                rows between unbounded preceding and current row
            ) as double
        ) as treated_at_risk
    from days
),

summed as (
    select
        experiment_key,
        arm,
        control_arm,
        category,
        max(z_critical) as z_critical,
        cast(sum(count_treated) as {{ dbt.type_bigint() }}) as count_treatment,
        cast(sum(count_units - count_treated) as {{ dbt.type_bigint() }}) as count_control,
        cast(sum(count_reorders_treated) as {{ dbt.type_bigint() }}) as count_reorders_treatment,
        cast(sum(count_reorders - count_reorders_treated) as {{ dbt.type_bigint() }})
            as count_reorders_control,
        {{ steady_sum("count_reorders * treated_at_risk / units_at_risk") }}
            as expected_reorders_treatment,
        {{ steady_sum(
            "case
                when units_at_risk > 1
                    then
                        count_reorders
                        * (treated_at_risk / units_at_risk)
                        * (1.0 - treated_at_risk / units_at_risk)
                        * (units_at_risk - count_reorders) / (units_at_risk - 1)
                else 0.0
            end"
        ) }} as variance
    from at_risk
    group by experiment_key, arm, control_arm, category
),

scored as (
    select
        *,
        (count_reorders_treatment - expected_reorders_treatment) / nullif(sqrt(variance), 0)
            as logrank_z
    from summed
)

select * from scored
