-- A week of a journey: its entries, its messages, and the people whose first window in it ended then.
with

week as (
    select
        $as_of - to_days(cast(7 * $weeks_ago as integer)) as starts_at,
        case
            when $weeks_ago = 1 then timestamp '9999-01-01'
            else $as_of - to_days(cast(7 * ($weeks_ago - 1) as integer))
        end as ends_at
),

entries as (
    select count(*) as count_entries
    from {fct_journey_entries}
    cross join week
    where
        workspace_id = $workspace_id
        and journey_id = $journey_id
        and entered_at >= week.starts_at
        and entered_at < week.ends_at
),

messages as (
    select
        count(*) as count_messages,
        count(*) filter (exposure_kind = 'real') as count_real,
        count(*) filter (exposure_kind = 'ghost') as count_ghost,
        count(*) filter (exposure_kind = 'none') as count_none,
        count(*) filter (exposure_kind = 'real' and human_clicked_at is not null) as count_clicked
    from {fct_message_exposures}
    cross join week
    where
        workspace_id = $workspace_id
        and journey_id = $journey_id
        and message_type not in ('newsletter', 'transactional')
        and coalesce(sent_at, delivered_at, created_at) >= week.starts_at
        and coalesce(sent_at, delivered_at, created_at) < week.ends_at
),

windows as (
    select
        person_id,
        arg_min(starts_at, (starts_at, cohort_key)) as starts_at,
        arg_min(ends_at, (starts_at, cohort_key)) as ends_at,
        arg_min(coalesce(drop_off_step, 'none'), (starts_at, cohort_key)) as drop_off_step
    from {int_insight__funnels}
    where
        journey_id = $journey_id
        and coalesce(workspace_id, $workspace_id) = $workspace_id
    group by person_id
),

people as (
    select
        windows.person_id,
        windows.drop_off_step,
        count(orders.person_id) > 0 as is_converted
    from windows
    cross join week
    left join {int_segments__orders} as orders
        on
            windows.person_id = orders.person_id
            and windows.starts_at <= orders.ordered_at
            and windows.ends_at > orders.ordered_at
    where
        windows.ends_at >= week.starts_at
        and windows.ends_at < week.ends_at
    group by windows.person_id, windows.drop_off_step
),

checkouts as (
    select
        count(*) as count_completed,
        count(*) filter (is_converted) as count_converted,
        count(*) filter (drop_off_step <> 'checkout_started') as count_started,
        greatest(
            count(*) filter (drop_off_step = 'shipping_viewed'),
            count(*) filter (drop_off_step = 'payment_viewed'),
            count(*) filter (drop_off_step = 'order_placed')
        ) as count_dropped
    from people
)

select
    entries.count_entries + messages.count_messages + checkouts.count_completed as count_rows,
    entries.count_entries,
    messages.* exclude (count_messages),
    messages.count_clicked / nullif(messages.count_real, 0) as click_through,
    checkouts.*,
    checkouts.count_converted / nullif(checkouts.count_completed, 0) as conversion_rate,
    checkouts.count_dropped / nullif(checkouts.count_started, 0) as dropped_share
from entries
cross join messages
cross join checkouts
