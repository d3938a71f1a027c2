select
    to_json(
        struct_pack(
            audience_key := audience_key,
            destination_id := destination_id,
            action := said,
            workspace_id := workspace_id,
            cio_id := cio_id,
            identifier_type := identifier_type,
            identifier := identifier,
            reason := why
        )
    ) as line
from audience_changes
where said in ('add', 'remove')
order by
    audience_key asc,
    destination_id asc,
    said desc,
    identifier_type asc,
    workspace_id asc,
    cio_id asc
