-- Both mistakes are real (docs/publishing.md): to tell Heap of somebody whom it has never seen makes a user
-- without sessions, not to tell loses whoever was shown a message and never came.
with

persons as (
    select * from {{ ref("dim_persons") }}
),

identifiers as (
    select * from {{ ref("map_identifiers") }}
    where identifier_type = 'heap_identity'
),

newcomers as (
    select * from {{ ref("heap_newcomers") }}
),

own_choices as (
    select
        workspace_id,
        choice
    from newcomers
    where workspace_id is not null
),

general_choices as (
    select choice
    from newcomers
    where workspace_id is null
),

seen_by_heap as (
    select distinct
        workspace_id,
        identifier as heap_identity
    from identifiers
),

compared as (
    select
        persons.person_id,
        persons.workspace_id,
        persons.heap_identity,
        persons.refusal_reason,
        persons.is_publishable and seen_by_heap.heap_identity is null as is_new_to_heap,
        coalesce(own_choices.choice, general_choices.choice, 'send') as choice
    from persons
    left join seen_by_heap
        on
            persons.workspace_id = seen_by_heap.workspace_id
            and persons.heap_identity = seen_by_heap.heap_identity
    left join own_choices
        on persons.workspace_id = own_choices.workspace_id
    left join general_choices
        on own_choices.workspace_id is null
),

judged as (
    select
        person_id,
        workspace_id,
        heap_identity,
        coalesce(
            refusal_reason,
            case when is_new_to_heap and choice = 'hold' then {{ new_to_heap() }} end
        ) as refusal_reason,
        is_new_to_heap,
        is_new_to_heap and choice = 'hold' as is_held
    from compared
)

select * from judged
