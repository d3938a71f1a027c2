-- A person counts in one arm of an experiment, whatever the metric: the arm of the assignment.
with

assignments as (
    select * from {{ ref("fct_experiment_assignments") }}
),

units as (
    select * from {{ ref("fct_experiment_units") }}
)

select distinct
    units.experiment_key,
    units.person_id
from units
left join assignments
    on
        units.experiment_key = assignments.experiment_key
        and units.person_id = assignments.person_id
        and units.arm = assignments.arm
where assignments.person_id is null
