with

mine as (
    select * from stays
    where version = $version
),

ordered as (
    select distinct
        orders.person_id,
        orders.ordered_at,
        orders.is_order,
        orders.order_value
    from orders
    inner join mine
        on
            orders.person_id = mine.person_id
            and orders.ordered_at > mine.entered_at
            and (mine.exited_at is null or orders.ordered_at <= mine.exited_at)
),

counted as (
    select
        count(distinct person_id) as count_persons,
        count(*) filter (where exited_at is null) as count_members,
        count(*) filter (where entered_at >= $since) as count_entrants,
        count(*) filter (where exited_at is not null) as count_leavers,
        round(
            coalesce(sum(date_diff('second', seen_from, seen_to)), 0) / 86400.0, 4
        ) as person_days
    from mine
),

bought as (
    select
        count(*) filter (where is_order) as count_orders,
        count(distinct person_id) filter (where is_order) as count_buyers,
        cast(coalesce(sum(order_value), 0) as decimal(38, 2)) as revenue
    from ordered
)

select
    counted.count_persons,
    counted.count_members,
    counted.count_entrants,
    counted.count_leavers,
    counted.person_days,
    bought.count_orders,
    bought.count_buyers,
    bought.revenue
from counted
cross join bought
