-- A push to people of whom the brand's own forecast says that they are about to order: right for
-- half of them, and the order comes with or without it. Both potential outcomes are one.
create table nudges as
with watched as (
    select
        i,
        noise,
        at_day({start_day} + draw(i, 'nudge') * 112) as wished_at
    from persons
    where
        kind in ('regular', 'vip') and i % 2 = 1
        and joined_day < {start_day} and active_until_day > 179
),

coming as (
    select
        watched.i,
        any_value(noise) as noise,
        any_value(wished_at) as wished_at,
        min(ordered_at) as next_ordered_at
    from watched
    left join orders on watched.i = orders.i and not is_sister and ordered_at > wished_at
    group by watched.i
),

entered as (
    select
        i,
        concat('nudge:', i) as subject_key,
        -- hours before the order, where the forecast is right
        if(
            next_ordered_at is not null and draw(i, 'forecast') < 0.5,
            greatest(
                next_ordered_at - minutes(120 + draw(i, 'hours before') * 2400), wished_at
            ),
            wished_at
        ) as entered_at,
        slot_at(noise, 2, entered_at) as slot,
        entered_at + to_seconds(4) as assigned_at,
        draw(concat(i, ':', slot), 'nudged') < {control_share} as is_held_out
    from coming
)

select
    entered.i,
    slot,
    subject_key,
    entered_at,
    assigned_at,
    is_held_out,
    min(ordered_at) as ordered_at
from entered
left join orders
    on
        entered.i = orders.i and not is_sister
        and ordered_at >= assigned_at and ordered_at < assigned_at + to_hours({window_hours})
where day_of(entered_at) < 178
group by entered.i, slot, subject_key, entered_at, assigned_at, is_held_out
order by entered.i;

-- A week of price drops: one e-mail to some and four to others, by lot. None of them makes anybody
-- order; the fourth within a week makes many leave.
create table price_drops as
with watched as (
    select
        i,
        noise,
        {drops_day} + draw(i, 'price drop') * 79 as first_day,
        if(draw(i, 'often') < 0.6, 4, 1) as count_drops
    from persons
    where
        -- who gets little else, so that the dose is that of these e-mails
        kind in ('one_time', 'prospect') and i % 5 > 0 and has_email and noise != 'shared_mailbox'
        and joined_day < {drops_day} and active_until_day > 179
),

dropped as (
    select
        watched.*,
        n,
        concat('drop:', i, ':', n) as subject_key,
        at_day(first_day + n * 1.5) as entered_at,
        slot_at(noise, 2, at_day(first_day)) as slot
    from watched
    cross join range(4) as numbers (n)
    where n < count_drops
),

judged as (
    select
        dropped.*,
        concat(subject_key, ':email') as message_key,
        email_fate(message_key, true) as email_fate,
        list_extract([{leaves_by_dose}], n + 1) as leaving,
        email_fate = 'sent' and draw(message_key, 'clicks') > 1 - leaving as leaves
    from dropped
),

followed as (
    select
        judged.*,
        coalesce(bool_or(leaves) over (
            partition by i order by n rows between unbounded preceding and 1 preceding
        ), false) as has_left
    from judged
)

-- an order within the window is what the vendor would claim
select
    followed.i,
    n,
    slot,
    subject_key,
    message_key,
    email_fate,
    leaving,
    has_left,
    entered_at,
    min(ordered_at) as ordered_at
from followed
left join orders
    on
        followed.i = orders.i and not is_sister
        and ordered_at >= entered_at and ordered_at < entered_at + to_hours({window_hours})
where day_of(entered_at) < 179.5
group by all
order by followed.i, n;
