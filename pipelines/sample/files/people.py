"""People as they appear and change: profiles, their changes, their attributes."""

from __future__ import annotations

import duckdb

from pipelines.sample.brand import BATCHES, BRAND_WORKSPACE, EXPORT_DAYS
from pipelines.sample.files.export import Export, clock_type, file_name


def prepare(work: duckdb.DuckDBPyConnection) -> None:
    """Tables that several files draw from: profiles as they appear, and attribute changes."""
    work.execute(
        f"""
    create table appearing as
    select workspace_id, i, slot, case when is_listed then cio_id end as cio_id
    from profiles;

    create table attribute_rows as
    with held as (
        select
            persons.*, profiles.workspace_id, profiles.slot, profiles.created_at as held_from,
        from persons
        inner join profiles using (i)
        where profiles.slot = 0 and profiles.is_listed
    ),

    united as (
        select workspace_id, i, slot, 'favourite_category' as name, category as value, held_from
        from held
        where kind in ('regular', 'vip', 'one_time')
        union all
        select workspace_id, i, slot, 'cio_timezone', 'America/New_York', held_from
        from held
        where draw(i, 'zone') < 0.15
        union all
        -- numbers from the range that is set aside for fiction
        select
            workspace_id, i, slot, 'Phone Number',
            concat('+1202555', lpad((100 + i % 100)::varchar, 4, '0')), held_from,
        from held
        where draw(i, 'phone') < 0.05
        union all
        select
            workspace_id, i, slot, 'cio_subscription_preferences',
            '{{"topics":{{"topic_1":' || (draw(i, 'topic') < 0.5)::varchar || '}}}}',
            greatest(held_from, at_day(40)),
        from held
        where draw(i, 'prefers') < 0.03 and active_until_day > 179
        union all
        select
            {BRAND_WORKSPACE}, i, slot, 'cohort_winback',
            if(is_held_out, 'holdout', 'treatment'), assigned_at,
        from winbacks
        union all
        select
            messages.workspace_id, messages.i, messages.slot, 'unsubscribed',
            list_extract(['true', 'True', '1', 'TRUE'], 1 + pick(messages.message_key, 'true', 4)),
            occurred_at + to_seconds(1),
        from reactions
        inner join messages using (delivery_id)
        where metric = 'unsubscribed'
    )

    select united.*, batch_of(held_from) as batch from united;
        """
    )


def write_people(export: Export, workspace_id: int, batch: int) -> None:
    """Write a batch of profiles, changes and attributes of a workspace."""
    clock = clock_type(batch)
    columns = f"""
    people_versions.workspace_id::bigint as workspace_id,
    people_versions.customer_id,
    cio_id as internal_customer_id,
    deleted,
    suppressed,
    if(noise = 'epoch_zero', timestamp '1970-01-01', profiles.created_at)::{clock} as created_at,
    """
    source = f"""
    from people_versions
    inner join profiles using (workspace_id, i, slot)
    inner join persons using (i)
    where workspace_id = {workspace_id} and is_listed
    """
    export.parquet(
        file_name("people", workspace_id, batch),
        f"""
    select {columns} held_from::{clock} as updated_at, people_versions.email as email_addr
    {source} and not is_change and batch_of(held_from) = {batch}
    order by updated_at, internal_customer_id
        """,
    )
    export.parquet(
        file_name("people_chngs", workspace_id, batch),
        f"""
    with changed as (
        select {columns} held_from::{clock} as updated_at, people_versions.email as email_addr
        {source} and is_change and batch_of(held_from) = {batch}
        union all
        -- listed again without a difference
        select {columns}
            at_day({batch * EXPORT_DAYS - 7})::{clock}, people_versions.email
        {source}
            and noise = 'none' and i % 50 = 7 and i % {BATCHES} = {batch - 1}
            and joined_day < {batch * EXPORT_DAYS - 7} and {batch} > 1
    )
    select * from changed order by updated_at, internal_customer_id
        """,
    )
    export.parquet(
        file_name("attributes", workspace_id, batch),
        f"""
    select
        workspace_id::bigint as workspace_id, cio_id as internal_customer_id,
        name as attribute_name, value as attribute_value, held_from::{clock} as "timestamp",
    from attribute_rows
    inner join appearing using (workspace_id, i, slot)
    where workspace_id = {workspace_id} and batch = {batch} and cio_id is not null
    order by held_from, internal_customer_id, attribute_name
        """,
    )
