select
    count_dropped,
    difference,
    difference_low,
    difference_high,
    status
from {fct_checkout_funnel}
where experiment_key = 'cart_recovery' and arm = 'treatment' and step = 'payment_viewed'
