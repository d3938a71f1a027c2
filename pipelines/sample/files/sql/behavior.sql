with leaving as (
    select * from behavior
    where batch = {batch}
    union all
    -- sent again
    select * from behavior
    where batch = {batch_before} and event_id[-2:] = '00'
)

select
    event_id,
    case
        when is_sister then concat('L', 100000 + i)
        when noise = 'placeholder_id' or not has_id then null
        when noise = 'shared_email' and event_id[-1] < '5' then null
        when noise = 'id_changed' and occurred_at >= at_day(90) then customer_number(i)
        else customer_id
    end as customer_id,
    case
        when is_sister then null
        when noise = 'email_case' and event_id[-1] < '8'
            then concat('SHOPPER.', 100000 + i, '@Example.com')
        when noise = 'placeholder_id' or not has_id then email
        when noise = 'shared_email' and event_id[-1] < '5' then upper(email)
        when noise = 'none' and not in_sister and event_id[-1] = '0' then email
    end as email,
    event_name,
    occurred_at,
    value,
    product_id,
    leaving.category
from leaving
inner join persons using (i)
