with

cohorts as (
    select * from {{ ref("int_insight__cohorts") }}
),

arms as (
    select * from {{ ref("int_experiments__arms") }}
),

counted as (
    select
        cohort_key,
        workspace_id,
        journey_id,
        experiment_key,
        arm,
        allocation_version,
        count(*) as count_units
    from cohorts
    group by cohort_key, workspace_id, journey_id, experiment_key, arm, allocation_version
),

-- An arm that nobody is in yet is a row too: it is what makes the figure refuse.
united as (
    select
        'experiment:' || arms.experiment_key as cohort_key,
        arms.workspace_id,
        cast(arms.campaign_id as {{ dbt.type_string() }}) as journey_id,
        arms.experiment_key,
        arms.arm,
        arms.allocation_version,
        coalesce(counted.count_units, 0) as count_units
    from arms
    left join counted
        on
            arms.experiment_key = counted.experiment_key
            and arms.arm = counted.arm
            and arms.allocation_version = counted.allocation_version
    union all
    select
        cohort_key,
        workspace_id,
        journey_id,
        experiment_key,
        arm,
        allocation_version,
        count_units
    from counted
    where experiment_key is null
)

select * from united
