select
    people_versions.workspace_id::bigint as workspace_id,
    people_versions.customer_id,
    cio_id as internal_customer_id,
    deleted,
    suppressed,
    if(noise = 'epoch_zero', timestamp '1970-01-01', profiles.created_at)::{clock} as created_at,
    held_from::{clock} as updated_at,
    people_versions.email as email_addr
from people_versions
inner join profiles using (workspace_id, i, slot)
inner join persons using (i)
where
    workspace_id = {workspace_id} and is_listed
    and not is_change and batch_of(held_from) = {batch}
order by updated_at, internal_customer_id
