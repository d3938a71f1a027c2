create or replace temp table audience_ours as
with said as (
    select
        audience_key,
        destination_id,
        workspace_id,
        cio_id,
        true as is_sure
    from audience_state
    where target = {target} and told = 'added'
    union all
    select
        audience_key,
        destination_id,
        workspace_id,
        cio_id,
        false as is_sure
    from audience_intents
    where target = {target}
)

select
    audience_key,
    destination_id,
    workspace_id,
    cio_id,
    bool_and(is_sure) as is_sure
from said
group by audience_key, destination_id, workspace_id, cio_id
