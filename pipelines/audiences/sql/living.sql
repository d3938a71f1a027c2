select
    cio_id,
    customer_id,
    email
from {int_audiences__profiles}
where workspace_id = $workspace_id and is_alive
order by cio_id
