select to_json({
    'audience_key': audience_key, 'destination_id': destination_id, 'action': action,
    'workspace_id': workspace_id, 'cio_id': cio_id, 'identifier_type': identifier_type,
    'identifier': identifier, 'reason': reason
})
from audience_changes
where action in ('add', 'remove')
order by audience_key, destination_id, action desc, identifier_type, workspace_id, cio_id
