-- What a fresh plan would not say in the same words, and why. A row that Heap acknowledged or refused
-- in the part that was sent already has no reason: nothing is wrong with it.
create or replace temp table held_rows as
with

judged_rows as (
    select
        publish_key as row_key,
        heap_identity,
        verdict
    from judged
    union all
    select
        {user_key} as row_key,
        heap_identity,
        verdict
    from user_rows
),

told as (
    select
        publish_key as row_key,
        heap_identity
    from known_receipts
    union all
    select
        {user_key} as row_key,
        heap_identity
    from property_state
    where plan_id = {plan_id}
),

refusals as (
    select
        publish_key as row_key,
        min(reason) as reason
    from {refusals}
    group by publish_key
),

differing as (
    select plan_rows.*
    from plan_rows
    left join rows_now
        on plan_rows.row_key = rows_now.row_key
    where plan_rows.digest is distinct from rows_now.digest
)

select
    differing.row_key,
    coalesce(differing.event, 'user properties') as title,
    case
        when refusals.reason is not null then refusals.reason
        when {forbidden} is not null then {forbidden}
        when differing.delivery_id in ({ghosts}) then 'found to be a ghost'
        when judged_rows.verdict = 'dead letter' then null
        when judged_rows.verdict = 'moved' then 'told under another identity'
        when judged_rows.verdict is not null then replace(judged_rows.verdict, 'refused: ', '')
        when judged_rows.heap_identity <> differing.heap_identity then 'another identity'
        when judged_rows.row_key is not null then 'other content'
        when told.row_key is not null then null
        when
            differing.event is null
            and differing.heap_identity in (select held_identities.heap_identity from held_identities)
            then 'other content'
        when
            differing.heap_identity in ({known})
            then 'no longer in the Heap marts'
        else 'nobody whom the warehouse knows'
    end as reason
from differing
left join judged_rows
    on differing.row_key = judged_rows.row_key
left join refusals
    on differing.row_key = refusals.row_key
left join told
    on
        differing.row_key = told.row_key
        and differing.heap_identity = told.heap_identity
