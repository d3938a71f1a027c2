-- One notion of who is in an arm. A figure about other people than the lift's could not stand beside it.
with

contrasts as (
    select * from {{ ref("int_insight__contrasts") }}
    where
        question in ('funnel', 'pressure')
        and control_arm is not null
),

lift as (
    select distinct
        experiment_key,
        arm,
        count_treatment,
        count_control
    from {{ ref("fct_lift") }}
    where
        population = 'itt'
        and stratum = 'all'
)

select
    contrasts.question,
    contrasts.experiment_key,
    contrasts.metric_key,
    contrasts.arm,
    contrasts.count_units,
    contrasts.count_units_control,
    lift.count_treatment,
    lift.count_control
from contrasts
left join lift
    on
        contrasts.experiment_key = lift.experiment_key
        and contrasts.arm = lift.arm
where
    coalesce(lift.count_treatment, -1) <> contrasts.count_units
    or coalesce(lift.count_control, -1) <> contrasts.count_units_control
