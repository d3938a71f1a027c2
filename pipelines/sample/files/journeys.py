"""Passes through journeys: subjects, outputs, deliveries, metrics, what a message said."""

from __future__ import annotations

from pipelines.sample.brand import (
    BLACK_HOLE,
    BRAND_WORKSPACE,
    BROADCAST,
    BROWSE,
    CART,
    SISTER_WORKSPACE,
)
from pipelines.sample.files.export import Export, clock_type, file_name, number_type

DOUBLED_BATCH = 3


def write_journeys(export: Export, workspace_id: int, batch: int) -> None:
    """Write a batch of what a workspace's journeys left behind."""
    clock, number = clock_type(batch), number_type(batch)
    # Rows leave once when they are made; three in a hundred leave again, a batch later and newer.
    again = f"batch = {batch - 1} and {{key}}[-2:] < '{{low}}'"

    def both(table: str, key: str, low: str) -> str:
        return f"""
        select *, 0 as again from {table}
        where workspace_id = {workspace_id} and batch = {batch}
        union all
        select *, 1 as again from {table}
        where workspace_id = {workspace_id} and {again.format(key=key, low=low)}
        """

    trigger = (
        f"case when campaign_id in ({CART}, {BROWSE}) "
        "then ulid(concat('trigger:', subject_key)) end"
    )
    export.parquet(
        file_name("subjects", workspace_id, batch),
        f"""
    with leaving as (
        {both("(select *, batch_of(entered_at) as batch from passes)", "subject_name", "08")}
    )
    select
        workspace_id::bigint as workspace_id, subject_name, cio_id as internal_customer_id,
        campaign_type, campaign_id::{number} as campaign_id, {trigger} as event_id,
        trigger_id::bigint as trigger_id, entered_at::{clock} as started_campaign_at,
        entered_at::{clock} as created_at,
        sequence_number(entered_at, again) as seq_num,
    from leaving
    inner join appearing using (workspace_id, i, slot)
    order by seq_num, subject_name
        """,
    )
    export.parquet(
        file_name("outputs", workspace_id, batch, 500 if batch == 4 else 0),
        f"""
    with leaving as (
        {both("steps", "output_id", "08")}
    )
    select
        workspace_id::bigint as workspace_id, output_id, subject_name, output_type,
        action_id::{number} as action_id,
        if(output_type = 'delay' and again = 1, 'done', explanation) as explanation,
        delivery_id, explanation = 'drafted' as draft, output_type = 'email' as link_tracked,
        split_test_index::bigint as split_test_index, branch_index::bigint as branch_index,
        delay_ends_at::{clock} as delay_ends_at, null::bigint as manual_segment_id,
        null::boolean as add_to_manual_segment, created_at::{clock} as created_at,
        sequence_number(created_at, again) as seq_num,
    from leaving
    order by seq_num, output_id
        """,
    )
    export.parquet(
        file_name("deliveries", workspace_id, batch),
        f"""
    with leaving as (
        {both("messages", "delivery_id", "Cz")}
    )
    select
        workspace_id::bigint as workspace_id, delivery_id, cio_id as internal_customer_id,
        case when subject_key is not null then ulid(subject_key) end as subject_id,
        {trigger} as event_id, channel as delivery_type,
        campaign_id::{number} as campaign_id, action_id::{number} as action_id,
        newsletter_id::bigint as newsletter_id, content_id::bigint as content_id,
        case when campaign_id = {BROADCAST} then if(created_at < at_day(60), 1, 2) end::bigint
            as trigger_id,
        transactional_message_id::bigint as transactional_message_id,
        created_at::{clock} as created_at,
        sequence_number(created_at, again) as seq_num,
    from leaving
    inner join appearing using (workspace_id, i, slot)
    order by seq_num, delivery_id
        """,
    )
    # Files from before the flags existed have nine columns.
    flags = (
        ""
        if batch == 1
        else """,
        proxied, prefetched, machine,
        if(prefetched, 'ExampleImageProxy/1.0', null) as user_agent,
        if(metric = 'opened' and not prefetched, 'Example Mail', null) as email_client,
        if(metric = 'delivered', 'example.com', null) as inbox_domain,
        null::varchar as inbox_provider, null::varchar as mx_host
    """
    )
    metrics = export.parquet(
        file_name("metrics", workspace_id, batch),
        f"""
    with leaving as (
        {both("reactions", "event_id", "03")}
    )
    select
        event_id, workspace_id::bigint as workspace_id, delivery_id, metric, reason,
        link_id::bigint as link_id,
        if(link_id is null, null, concat('https://shop.example.com/l/', link_id)) as link_url,
        occurred_at::{clock} as created_at,
        sequence_number(occurred_at, again) as seq_num{flags},
    from leaving
    order by seq_num, event_id
        """,
    )
    if metrics and batch == DOUBLED_BATCH and workspace_id == BRAND_WORKSPACE:
        export.again(metrics, file_name("metrics", workspace_id, batch, 5))
    if workspace_id == SISTER_WORKSPACE:
        # Only here: the address a message really went to is how the black hole shows.
        export.parquet(
            file_name("delivery_contents", workspace_id, batch),
            f"""
        select
            workspace_id::bigint as workspace_id, delivery_id, campaign_id::bigint as campaign_id,
            action_id::bigint as action_id, null::bigint as newsletter_id,
            null::bigint as content_id, 'hello@sister.example.net' as "from",
            null::varchar as reply_to, null::varchar as bcc,
            if(is_trapped, '{BLACK_HOLE}', email) as recipient, 'Still thinking?' as subject,
            '<p>A body that must never be loaded.</p>' as body, null::varchar as body_amp,
            'A body that must never be loaded.' as body_plain, null::varchar as preheader,
            null::varchar as url, null::varchar as method, null::varchar as headers,
            channel as type,
        from messages
        inner join persons using (i)
        where workspace_id = {workspace_id} and batch = {batch}
        order by delivery_id
            """,
        )
