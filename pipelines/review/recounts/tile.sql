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

needs as (
    select
        named.need,
        named.family
    from (
        values
        ('entries', 'subjects'), ('entries', 'webhooks'),
        ('messages', 'deliveries'), ('messages', 'webhooks'),
        ('outcomes', 'metrics'), ('outcomes', 'webhooks'),
        ('checkouts', 'behavior')
    ) as named (need, family)
),

came as (
    select
        needs.need,
        coalesce(bool_or(counts.days_before // 7 + 1 = $weeks_ago), false) as has_rows,
        coalesce(bool_or(counts.days_before // 7 + 1 > $weeks_ago), false) as has_begun,
        coalesce(bool_or(counts.days_before // 7 + 1 < $weeks_ago), false) as goes_on,
        coalesce(bool_and(inputs.hours_since_last_event > inputs.stale_after_hours), false) as is_stale
    from needs
    left join {int_loads__inputs} as inputs
        on
            needs.family = inputs.family
            and inputs.grain = 'workspace'
            and coalesce(inputs.workspace_id, $workspace_id) = $workspace_id
    left join {int_loads__daily_counts} as counts
        on inputs.input_id = counts.input_id
    group by needs.need
),

known as (
    select
        need,
        has_rows
        or (
            has_begun
            and not (is_stale and not goes_on)
            and need <> 'checkouts'
            and exists (
                select 1
                from {int_loads__daily_counts} as counts
                where
                    counts.grain = 'workspace'
                    and counts.workspace_id = $workspace_id
                    and counts.days_before // 7 + 1 = $weeks_ago
            )
        ) as is_known
    from came
),

told as (
    select
        bool_and(is_known) filter (need = 'entries') as has_entries,
        bool_and(is_known) filter (need in ('messages', 'outcomes')) as has_messages,
        bool_and(is_known) filter (need = 'checkouts') as has_checkouts
    from known
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
    case when told.has_entries then entries.count_entries end as count_entries,
    case when told.has_messages then messages.count_real end as count_real,
    case when told.has_messages then messages.count_ghost end as count_ghost,
    case when told.has_messages then messages.count_none end as count_none,
    case when told.has_messages then messages.count_clicked end as count_clicked,
    case
        when told.has_messages then messages.count_clicked / nullif(messages.count_real, 0)
    end as click_through,
    case when told.has_checkouts then checkouts.count_completed end as count_completed,
    case when told.has_checkouts then checkouts.count_converted end as count_converted,
    case when told.has_checkouts then checkouts.count_started end as count_started,
    case when told.has_checkouts then checkouts.count_dropped end as count_dropped,
    case
        when told.has_checkouts then checkouts.count_converted / nullif(checkouts.count_completed, 0)
    end as conversion_rate,
    case
        when told.has_checkouts then checkouts.count_dropped / nullif(checkouts.count_started, 0)
    end as dropped_share
from entries
cross join messages
cross join checkouts
cross join told
