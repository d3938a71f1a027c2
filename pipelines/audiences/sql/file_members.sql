select
    members.workspace_id,
    members.cio_id,
    members.person_id,
    members.identifier,
    list(cells.heading order by cells.position) as headings,
    list(coalesce(cells.cell, '') order by cells.position) as cells
from {fct_audience_members} as members
inner join {fct_audience_file_cells} as cells
    on members.audience_key = cells.audience_key and members.person_id = cells.person_id
where members.audience_key = $audience_key and members.is_member
group by all
order by members.workspace_id, members.cio_id
