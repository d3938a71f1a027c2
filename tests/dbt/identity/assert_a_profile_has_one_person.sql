-- A link applies to the whole past: a profile belongs to one person, from the first instant and without end.
select
    workspace_id,
    identifier
from {{ ref("map_identifiers") }}
where identifier_type = 'cio_id'
group by workspace_id, identifier
having
    count(*) > 1
    or min(valid_from) > {{ epoch() }}
    or max(valid_to) is not null
