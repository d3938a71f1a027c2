-- Only where the message itself was held out. An arm of a cell that nobody is in stands with zeros.
with

risk_cells as (
    select * from {{ ref("int_insight__risk_cells") }}
    where basis = 'held out'
),

cohort_arms as (
    select * from {{ ref("int_insight__cohort_arms") }}
    where experiment_key is not null
),

arms as (
    select distinct
        experiment_key,
        arm,
        control_arm
    from {{ ref("int_experiments__arms") }}
),

cells as (
    select distinct
        cohort_key,
        shown_arm,
        stratum,
        metric_key
    from risk_cells
),

counted as (
    select
        'risk set' as question,
        cells.cohort_key,
        cohort_arms.workspace_id,
        cohort_arms.journey_id,
        cohort_arms.experiment_key,
        'itt' as population,
        cells.stratum,
        cells.metric_key,
        cohort_arms.arm,
        cohort_arms.allocation_version,
        coalesce(risk_cells.count_units, 0) as count_units,
        coalesce(risk_cells.count_persons, 0) as count_persons,
        coalesce(risk_cells.count_shown, 0) as count_events
    from cells
    inner join cohort_arms
        on cells.cohort_key = cohort_arms.cohort_key
    inner join arms
        on
            cohort_arms.experiment_key = arms.experiment_key
            and cells.shown_arm = arms.arm
            and cohort_arms.arm in (arms.arm, arms.control_arm)
    left join risk_cells
        on
            cells.cohort_key = risk_cells.cohort_key
            and cells.stratum = risk_cells.stratum
            and cohort_arms.arm = risk_cells.arm
            and cohort_arms.allocation_version = risk_cells.allocation_version
)

select * from counted
