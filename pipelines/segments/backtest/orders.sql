create or replace temp table orders as
select
    person_id,
    changed_at as ordered_at,
    is_order,
    order_value
from {int_segments__order_values}
where
    changed_at >= $since
    and changed_at < $as_of
