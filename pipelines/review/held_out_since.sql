-- Whom Customer.io or a platform was told of before they were held out. Beside the warehouse, the ledger
-- is attached as `ledger`; what a local Customer.io was told in a rehearsal is not what the real one was.
with

latest as (
    select target
    from ledger.audience_batches
    order by batch_id desc
    limit 1
),

told as (
    select
        audience_key,
        workspace_id,
        cio_id
    from ledger.audience_state
    where told = 'added' and target in (select target from latest)
    union distinct
    select
        audience_key,
        workspace_id,
        cio_id
    from ledger.audience_intents
    where action = 'add' and target in (select target from latest)
    union distinct
    select
        audience_key,
        workspace_id,
        cio_id
    from ledger.audience_exported
),

held_out as (
    select
        audience_key,
        person_id
    from {int_audiences__held_out}
    union distinct
    select
        audience_key,
        person_id
    from {fct_audience_members}
    where exclusion_reason = 'held out'
),

profiles as (
    select * from {int_audiences__profiles}
)

select
    told.audience_key,
    count(distinct held_out.person_id) as count_people
from told
inner join profiles
    on
        told.workspace_id = profiles.workspace_id
        and told.cio_id = profiles.cio_id
inner join held_out
    on
        told.audience_key = held_out.audience_key
        and profiles.person_id = held_out.person_id
group by told.audience_key
order by told.audience_key
