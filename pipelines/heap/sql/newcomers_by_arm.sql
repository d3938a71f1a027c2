-- Whom Heap has never seen, by arm: who would become users there, and who is held.
with

told as (
    select distinct heap_identity
    from new_identities
),

newcomers as (
    select
        persons.person_id,
        persons.is_held,
        told.heap_identity is not null as is_told
    from {persons} as persons
    left join told
        on persons.heap_identity = told.heap_identity
    where
        persons.is_new_to_heap
        and (persons.is_held or told.heap_identity is not null)
),

labelled as (
    select
        newcomers.is_told,
        newcomers.is_held,
        coalesce(assignments.experiment_key || '=' || assignments.arm, 'no experiment') as arm_label
    from newcomers
    left join {assignments} as assignments
        on newcomers.person_id = assignments.person_id
)

select
    arm_label,
    count(case when is_told then 1 end) as count_told,
    count(case when is_held then 1 end) as count_held
from labelled
group by arm_label
order by arm_label
