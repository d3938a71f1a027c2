create table replenishments as
with cycles as (
    select
        orders.i,
        noise,
        has_email,
        order_key,
        ordered_at,
        row_number() over (partition by orders.i order by ordered_at) as n,
        lead(ordered_at) over (partition by orders.i order by ordered_at) as next_ordered_at,
        ordered_at + to_minutes(cast(floor(
            cycle_days * if(kind = 'vip', 0.7, 1.0) * 0.75 * 1440
        ) as bigint)) as entered_at
    from orders
    inner join persons using (i)
    where not is_sister and kind in ('regular', 'vip') and active_until_day > 179
),

due as (
    select
        cycles.*,
        slot_at(noise, n, entered_at) as slot,
        concat('refill:', order_key) as subject_key
    from cycles
    where
        entered_at >= at_day({start_day}) and day_of(entered_at) < 178
        and (next_ordered_at is null or next_ordered_at > entered_at + to_minutes(30))
)

select
    i,
    slot,
    subject_key,
    entered_at,
    entered_at + to_seconds(4) as assigned_at,
    -- the cohort mostly stays with the profile; whether it does is not documented
    if(
        draw(subject_key, 'redrawn') < 0.003,
        draw(subject_key, 'cohort'), draw(concat(i, ':', slot), 'cohort')
    ) < {control_share} as is_held_out,
    email_fate(concat(subject_key, ':email'), has_email) as email_fate,
    if(
        next_ordered_at < assigned_at + to_hours({window_hours}), next_ordered_at, null
    ) as ordered_at
from due
order by i, entered_at;
