"""Journeys: who passed through which, the steps taken, and the messages made on the way."""

from __future__ import annotations

import duckdb

from pipelines.sample.brand import (
    BRAND_WORKSPACE,
    BROADCAST,
    BROWSE,
    DRAFT,
    HISTORY_DAYS,
    NEWSLETTERS,
    ORDER_CONFIRMATION,
    REPLENISHMENT,
    WELCOME,
    WINBACK,
    experiment,
)


def make_journeys(work: duckdb.DuckDBPyConnection) -> None:
    """Create `replenishments`, `passes` (subjects), `messages` (deliveries), `steps` (outputs)."""
    _make_replenishments(work)
    _make_other_entries(work)
    _make_passes(work)
    _make_messages(work)
    _make_steps(work)


def _make_replenishments(work: duckdb.DuckDBPyConnection) -> None:
    """One row per reminder due. The reminder changes nothing: both potential outcomes are one."""
    reminder = experiment("replenishment")
    work.execute(
        f"""
    create table replenishments as
    with cycles as (
        select
            orders.i, noise, has_email, order_key, ordered_at,
            row_number() over (partition by orders.i order by ordered_at) as n,
            lead(ordered_at) over (partition by orders.i order by ordered_at) as next_ordered_at,
            ordered_at + to_minutes(cast(floor(
                cycle_days * if(kind = 'vip', 0.7, 1.0) * 0.75 * 1440
            ) as bigint)) as entered_at,
        from orders
        inner join persons using (i)
        where not is_sister and kind in ('regular', 'vip') and active_until_day > 179
    ),

    due as (
        select
            cycles.*, slot_at(noise, n, entered_at) as slot,
            concat('refill:', order_key) as subject_key,
        from cycles
        where
            entered_at >= at_day({reminder.start_day}) and day_of(entered_at) < 178
            and (next_ordered_at is null or next_ordered_at > entered_at + to_minutes(30))
    )

    select
        i, slot, subject_key, entered_at,
        entered_at + to_seconds(4) as assigned_at,
        -- the cohort mostly stays with the profile; whether it does is not documented
        if(
            draw(subject_key, 'redrawn') < 0.003,
            draw(subject_key, 'cohort'), draw(concat(i, ':', slot), 'cohort')
        ) < {reminder.control_share} as is_held_out,
        email_fate(concat(subject_key, ':email'), has_email) as email_fate,
        if(
            next_ordered_at < assigned_at + to_hours({reminder.window_hours}), next_ordered_at, null
        ) as ordered_at,
    from due
    order by i, entered_at;
        """
    )


def _make_other_entries(work: duckdb.DuckDBPyConnection) -> None:
    """Journeys without a control: welcome, browse abandonment, a draft, an API broadcast."""
    work.execute(
        f"""
    create table other_entries as
    select
        i, 0 as slot, concat('welcome:', i) as subject_key, {WELCOME} as campaign_id,
        null::integer as trigger_id, at_day(joined_day) + to_minutes(2) as entered_at, has_email,
    from persons
    where joined_day >= 0
    union all
    -- stopped at day 90, half-way through the history
    select
        i, slot_at(noise, 2, at_day(25)), concat('browse:', i), {BROWSE}, null,
        at_day(25 + draw(i, 'browse') * 65), has_email,
    from persons
    where i % 13 = 0 and joined_day < 20 and active_until_day > 100
    union all
    select i, 0, concat('draft:', i), {DRAFT}, null, at_day(100 + draw(i, 'draft') * 5), has_email
    from persons
    where i % 300 = 0 and joined_day < 90 and active_until_day > 120
    union all
    select
        i, slot_at(noise, 2, at_day(day)), concat('broadcast:', trigger_id, ':', i), {BROADCAST},
        trigger_id, at_day(day) + to_seconds(i % 3600), has_email,
    from persons
    cross join (values (1, 10), (2, 118)) as calls (trigger_id, day)
    where
        joined_day < day and active_until_day > day
        and (i % 5 = 0 or noise = 'deleted_before_first_sync');
        """
    )


def _make_passes(work: duckdb.DuckDBPyConnection) -> None:
    work.execute(
        f"""
    create table passes as
    with united as (
        select
            workspace_id, i, slot, subject_key, campaign_id, 'event' as campaign_type,
            null::integer as trigger_id, entered_at,
        from carts
        union all
        select workspace_id, i, slot, subject_key, campaign_id, 'event', null, entered_at
        from sister_carts
        union all
        select {BRAND_WORKSPACE}, i, slot, subject_key, {REPLENISHMENT}, 'segment', null, entered_at
        from replenishments
        union all
        select {BRAND_WORKSPACE}, i, slot, subject_key, {WINBACK}, 'segment', null, entered_at
        from winbacks
        union all
        select
            {BRAND_WORKSPACE}, i, slot, subject_key, campaign_id,
            case campaign_id
                when {BROADCAST} then 'triggered_broadcast'
                when {BROWSE} then 'event'
                else 'segment'
            end,
            trigger_id, entered_at,
        from other_entries
    )

    select united.*, ulid(subject_key) as subject_name, from united;
        """
    )


def _make_messages(work: duckdb.DuckDBPyConnection) -> None:
    """One row per delivery. `orders_at`: the order that the message's goal window sees, if any."""
    letters = ", ".join(
        f"({letter.newsletter_id}, {letter.day}, {letter.contents[0]}, {letter.contents[1]})"
        for letter in NEWSLETTERS
    )
    reminder = experiment("replenishment")
    work.execute(
        f"""
    create table messages as
    with cart_emails as (
        select
            workspace_id, i, slot, subject_key, concat(subject_key, ':email') as message_key,
            'email' as channel, campaign_id, if(is_held_out, 1012, 1011) as action_id,
            entered_at + to_minutes(60) as created_at, email_fate as fate,
            is_held_out as is_trapped,
            ordered_at as orders_at,
        from (
            select
                workspace_id, i, slot, subject_key, campaign_id, is_held_out, entered_at,
                email_fate,
                ordered_at,
            from carts
            union all
            select
                workspace_id, i, slot, subject_key, campaign_id, is_held_out, entered_at,
                email_fate,
                ordered_at,
            from sister_carts
        ) as left_carts
        where ordered_at is null or ordered_at > entered_at + to_minutes(60)
    ),

    -- only to people who have seen shipping rates and have not bought: a choice, not a coin
    cart_texts as (
        select
            workspace_id, i, slot, subject_key, concat(subject_key, ':sms') as message_key,
            if(draw(subject_key, 'spelling') < 0.5, 'sms', 'twilio') as channel, campaign_id, 1013,
            entered_at + to_minutes(240), sms_fate(concat(subject_key, ':sms')), false, ordered_at,
        from carts
        where
            not is_held_out and saw_shipping
            and (ordered_at is null or ordered_at > entered_at + to_minutes(240))
    ),

    reminders as (
        select
            {BRAND_WORKSPACE}, i, slot, subject_key, concat(subject_key, ':email'), 'email',
            {REPLENISHMENT}, 1021, entered_at + to_minutes(10), email_fate, false,
            if(ordered_at < entered_at + to_hours({reminder.window_hours}), ordered_at, null),
        from replenishments
        where not is_held_out
    ),

    winback_messages as (
        select
            {BRAND_WORKSPACE}, i, slot, subject_key, concat(subject_key, ':', kind),
            if(kind = 'email', 'email', if(i % 2 = 0, 'in_app', 'in-app')), {WINBACK},
            if(kind = 'email', 1031, 1032),
            entered_at + if(kind = 'email', to_minutes(5), to_hours(72)),
            if(kind = 'email', email_fate, in_app_fate(concat(subject_key, ':', kind))), false,
            ordered_at,
        from winbacks
        cross join (values ('email'), ('in_app')) as kinds (kind)
        where
            not is_held_out
            and (kind = 'email' or ordered_at is null or ordered_at > entered_at + to_hours(72))
    ),

    other_messages as (
        select
            {BRAND_WORKSPACE}, i, slot, subject_key, concat(subject_key, ':', kind),
            if(kind = 'email', 'email', if(i % 2 = 0, 'in_app', 'in-app')), campaign_id,
            case campaign_id
                when {WELCOME} then if(kind = 'email', 1041, 1042)
                when {BROWSE} then 1061 when {DRAFT} then 1051 else 2011
            end,
            entered_at + if(kind = 'email', to_minutes(3), to_hours(24)),
            case
                when campaign_id = {DRAFT} then 'drafted'
                when kind = 'email' then email_fate(subject_key, has_email)
                else in_app_fate(subject_key)
            end,
            false, null,
        from other_entries
        cross join (values ('email'), ('in_app')) as kinds (kind)
        where kind = 'email' or campaign_id = {WELCOME}
    ),

    in_journeys as (
        select * from cart_emails
        union all
        select * from cart_texts
        union all
        select * from reminders
        union all
        select * from winback_messages
        union all
        select * from other_messages
    ),

    letters as (
        select
            i, slot_at(noise, 2, at_day(day)) as slot,
            concat('letter:', newsletter_id, ':', i) as message_key,
            newsletter_id,
            if(draw(message_key, 'content') < 0.5, content_a, content_b) as content_id,
            at_day(day + 0.6) + to_seconds(i % 1800) as created_at,
            email_fate(message_key, true) as fate,
        from persons
        cross join (values {letters}) as letters (newsletter_id, day, content_a, content_b)
        where
            has_email and joined_day < day and active_until_day > day
            and draw(i, 'subscribes') < 0.6
    ),

    confirmations as (
        select
            i, slot_at(noise, 2, ordered_at) as slot, concat('receipt:', order_key) as message_key,
            ordered_at + to_seconds(40) as created_at,
            email_fate(message_key, true) as fate,
        from orders
        inner join persons using (i)
        where has_email and not is_sister
    ),

    united as (
        select
            *, null::integer as newsletter_id, null::integer as content_id,
            null::integer as transactional_message_id,
        from in_journeys
        union all
        select
            {BRAND_WORKSPACE}, i, slot, null, message_key, 'email', null, null, created_at, fate,
            false,
            null, newsletter_id, content_id, null,
        from letters
        union all
        select
            {BRAND_WORKSPACE}, i, slot, null, message_key, 'email', null, null, created_at, fate,
            false,
            null, null, null, {ORDER_CONFIRMATION},
        from confirmations
    )

    select
        united.*, delivery_token(message_key) as delivery_id, batch_of(created_at) as batch,
        if(orders_at > created_at + to_seconds(60), orders_at, null) as converts_at,
    from united
    where day_of(created_at) < {HISTORY_DAYS} - 0.01;
        """
    )


def _make_steps(work: duckdb.DuckDBPyConnection) -> None:
    """Branches, delays, messages and exits, as rows of outputs."""
    work.execute(
        f"""
    create table steps as
    with splits as (
        select
            workspace_id, subject_key, 'split_test' as output_type, 1010 as action_id,
            'randomised' as explanation, null::varchar as delivery_id,
            if(is_held_out, 1, 0) as split_test_index, null::integer as branch_index,
            null::timestamp as delay_ends_at, assigned_at as created_at,
        from carts
        union all
        select
            workspace_id, subject_key, 'split_test', 1010, 'randomised', null,
            if(is_held_out, 1, 0), null, null, assigned_at,
        from sister_carts
    ),

    branches as (
        select
            {BRAND_WORKSPACE}, subject_key, 'random_cohort_branch', 1020, 'cohort drawn', null,
            null::integer, if(is_held_out, 1, 0), null::timestamp, assigned_at,
        from replenishments
        union all
        select
            {BRAND_WORKSPACE}, subject_key, 'branch', 1030, 'attribute cohort_winback', null,
            null, if(is_held_out, 1, 0), null, entered_at + to_seconds(4),
        from winbacks
    ),

    delays as (
        select
            workspace_id, subject_key, 'delay', 1014, 'waiting', null, null::integer, null::integer,
            entered_at + to_minutes(60), assigned_at + to_seconds(1),
        from carts
    ),

    sends as (
        select
            workspace_id, subject_key, channel, action_id, fate, delivery_id, null::integer,
            null::integer, null::timestamp, created_at,
        from messages
        where subject_key is not null
    ),

    exits as (
        select
            {BRAND_WORKSPACE}, subject_key, 'exit', 1029, 'held out', null, null::integer,
            null::integer, null::timestamp, assigned_at + to_seconds(1),
        from replenishments
        where is_held_out
        union all
        select
            {BRAND_WORKSPACE}, subject_key, 'exit', 1039, 'held out', null, null, null, null,
            entered_at + to_seconds(5),
        from winbacks
        where is_held_out
    ),

    united as (
        select * from splits
        union all
        select * from branches
        union all
        select * from delays
        union all
        select * from sends
        union all
        select * from exits
    )

    select
        united.* exclude (subject_key),
        ulid(concat('step:', subject_key, ':', action_id)) as output_id,
        ulid(subject_key) as subject_name, batch_of(created_at) as batch,
    from united
    where day_of(created_at) < {HISTORY_DAYS};
        """
    )
