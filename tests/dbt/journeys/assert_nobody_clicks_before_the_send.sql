-- The first human click of a delivery is not before it was sent: one clock for both.
select
    workspace_id,
    delivery_id,
    sent_at,
    human_clicked_at
from {{ ref("int_journeys__deliveries") }}
where human_clicked_at < sent_at
