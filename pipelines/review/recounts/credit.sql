select
    count(*) as count_rows,
    count(case when credit_kind = 'last_click' and is_order then 1 end)
        as count_last_click_orders,
    count(case when credit_kind = 'last_exposure' and is_order then 1 end)
        as count_last_exposure_orders
from {int_insight__order_credits}
where
    workspace_id = $workspace_id
    and journey_id = $journey_id
