"""The export folder: many Parquet files over time, with everything that goes wrong in real ones."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipelines.sample.brand import (
    ACTIONS,
    BATCHES,
    BLACK_HOLE,
    BRAND_WORKSPACE,
    BROADCAST,
    BROWSE,
    CAMPAIGNS,
    CART,
    EXPORT_DAYS,
    SAMPLE_START,
    SISTER_WORKSPACE,
    WELCOME,
    WINBACK,
)

FIRST_SEQUENCE = 241_600_000_000_300_000
DOUBLED_BATCH = 3
FAMILIES = (
    "people",
    "people_chngs",
    "attributes",
    "campaigns",
    "campaign_actions",
    "broadcasts",
    "subjects",
    "outputs",
    "deliveries",
    "delivery_contents",
    "metrics",
    "objects",
)


@dataclass(frozen=True)
class Written:
    """What the export folder holds."""

    count_files: int
    count_rows: int


class Export:
    """Writes files and counts them."""

    def __init__(self, work: duckdb.DuckDBPyConnection, folder: Path) -> None:
        self.work = work
        self.folder = folder
        self.count_files = 0
        self.count_rows = 0

    def parquet(self, name: str, query: str, *, even_empty: bool = False) -> Path | None:
        """Write the query's rows to `name`; without rows no file, as the vendor does it."""
        return self._write(name, query, "format parquet", even_empty=even_empty)

    def csv(self, name: str, query: str) -> Path | None:
        """Write the query's rows to `name` as gzipped CSV with a header."""
        return self._write(name, query, "format csv, header, compression gzip", even_empty=False)

    def json(self, name: str, query: str) -> Path | None:
        """Write the query's rows to `name` as gzipped JSON, one object a line."""
        return self._write(name, query, "format json, compression gzip", even_empty=False)

    def again(self, path: Path, name: str) -> None:
        """Leave the same bytes under another name."""
        shutil.copyfile(path, self.folder / name)
        source = str(path).replace("'", "''")
        row = self.work.execute(f"select count(*) from read_parquet('{source}')").fetchone()
        self.count_files += 1
        self.count_rows += int(row[0]) if row else 0

    def _write(self, name: str, query: str, options: str, *, even_empty: bool) -> Path | None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        target = str(path).replace("'", "''")
        row = self.work.execute(f"copy ({query}) to '{target}' ({options})").fetchone()
        rows = int(row[0]) if row else 0
        if rows == 0 and not even_empty:
            path.unlink()
            return None
        self.count_files += 1
        self.count_rows += rows
        return path


def file_name(family: str, workspace_id: int, batch: int, nth: int = 0) -> str:
    """The vendor's name for a file: family, schema version, workspace, 18-digit sequence."""
    sequence = FIRST_SEQUENCE + batch * 1_000 + FAMILIES.index(family) * 37 + nth
    prefix = "people_v5_chngs" if family == "people_chngs" else f"{family}_v5"
    return f"{prefix}_{workspace_id}_{sequence}.parquet"


def write_export(work: duckdb.DuckDBPyConnection, folder: Path) -> Iterator[Written]:
    """Write every file, yielding after each batch what has been written so far."""
    _prepare(work)
    export = Export(work, folder)
    for batch in range(1, BATCHES + 1):
        for workspace_id in (BRAND_WORKSPACE, SISTER_WORKSPACE):
            _write_people(export, workspace_id, batch)
            _write_journeys(export, workspace_id, batch)
        _write_names(export, batch)
        _write_behavior(export, batch)
        yield Written(export.count_files, export.count_rows)
    _write_oddities(export)
    _write_heap(export)
    yield Written(export.count_files, export.count_rows)


def _prepare(work: duckdb.DuckDBPyConnection) -> None:
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


def _clock(batch: int) -> str:
    """The physical type of times in a batch: both kinds are in the wild."""
    return "timestamptz" if batch % 3 == 1 else "timestamp"


def _number(batch: int) -> str:
    """The physical type of small ids in a batch."""
    return "integer" if batch % 4 == 2 else "bigint"


def _write_people(export: Export, workspace_id: int, batch: int) -> None:
    clock = _clock(batch)
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


def _write_journeys(export: Export, workspace_id: int, batch: int) -> None:
    clock, number = _clock(batch), _number(batch)
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


def _write_names(export: Export, batch: int) -> None:
    """Campaigns, actions and broadcasts: listed at the first sync, renamed later."""
    if batch not in (1, 5):
        return
    born = f"timestamp '{SAMPLE_START:%Y-%m-%d}' - to_days(200)"
    renamed = "at_day(92)"

    def campaign_rows(workspace_id: int, names: list[tuple[int, str]]) -> str:
        return " union all ".join(
            f"""select {workspace_id}::bigint as workspace_id, {number}::bigint as campaign_id,
            '{name}' as name, {born} as created_at, {born if batch == 1 else renamed} as updated_at,
            {1 if batch == 1 else 2}::bigint as version, ['news', 'offers'] as topic_names"""
            for number, name in names
        )

    names = [(one.campaign_id, one.name) for one in CAMPAIGNS]
    if batch == 5:
        names = [(WELCOME, "Welcome series"), (WINBACK, "Winback 60 to 90 days")]
    export.parquet(
        file_name("campaigns", BRAND_WORKSPACE, batch), campaign_rows(BRAND_WORKSPACE, names)
    )
    if batch == 5:
        return
    export.parquet(
        file_name("campaigns", SISTER_WORKSPACE, batch),
        campaign_rows(SISTER_WORKSPACE, [(CART, "Cart recovery of the sister brand")]),
    )
    export.parquet(
        file_name("campaign_actions", BRAND_WORKSPACE, batch),
        " union all ".join(
            f"""select
            {BRAND_WORKSPACE}::bigint as workspace_id, {one.campaign_id}::bigint as campaign_id,
            {one.action_id}::bigint as action_id, '{one.name}' as name, '{one.kind}' as type,
            {born} as created_at, {born} as updated_at"""
            for one in ACTIONS
        ),
    )
    export.parquet(
        file_name("broadcasts", BRAND_WORKSPACE, batch),
        f"""
    select
        {BRAND_WORKSPACE}::bigint as workspace_id, {BROADCAST}::bigint as broadcast_id,
        'Delivery notice' as name, {born} as created_at, {born} as updated_at,
        ['service'] as topic_names
        """,
    )


def _write_behavior(export: Export, batch: int) -> None:
    """Behavior by batch; the till's orders come as CSV, the app's visits as JSON, once each."""
    named = f"""
    with leaving as (
        select * from behavior where batch = {batch}
        union all
        -- sent again
        select * from behavior where batch = {batch - 1} and event_id[-2:] = '00'
    )

    select
        event_id,
        case
            when is_sister then concat('L', 100000 + i)
            when noise = 'placeholder_id' or not has_id then null
            when noise = 'shared_email' and event_id[-1] < '5' then null
            when noise = 'id_changed' and occurred_at >= at_day(90) then concat('C', 100000 + i)
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
        leaving.category,
    from leaving
    inner join persons using (i)
    """
    if batch > 1:
        named += f"""
        union all
        -- nobody's: a placeholder in the place of an id
        select
            ulid(concat('stray:', i, ':', {batch})), 'guest', null, 'order_placed',
            at_day({(batch - 1) * EXPORT_DAYS} + draw(i, 'stray') * {EXPORT_DAYS - 1}),
            19.90::decimal(18, 2), 'coffee-1', 'coffee',
        from persons
        where i % 400 = {batch}
        """
    is_till = "event_name = 'order_placed' and event_id[-2:] between '10' and '13'"
    is_app = "event_name = 'site_visited' and event_id[-2:] between '20' and '23'"
    apart = f"{batch} = 6 and (({is_till}) or ({is_app}))"
    export.parquet(
        f"behavior_{batch:02d}.parquet",
        f"""
    select * replace (occurred_at::{_clock(batch)} as occurred_at) from ({named})
    where not ({apart})
    order by occurred_at, event_id
        """,
    )
    if batch != 6:
        return
    iso = "replace (strftime(occurred_at, '%Y-%m-%dT%H:%M:%SZ') as occurred_at"
    export.csv(
        "till/behavior_till.csv.gz",
        f"""select * {iso}, 'Order Completed' as event_name) from ({named}) where {is_till}
        order by occurred_at, event_id""",
    )
    export.json(
        "app/behavior_app.jsonl.gz",
        f"select * {iso}) from ({named}) where {is_app} order by occurred_at, event_id",
    )


def _write_oddities(export: Export) -> None:
    """An empty file and a family nobody has heard of."""
    export.parquet(
        file_name("attributes", BRAND_WORKSPACE, BATCHES, 3),
        """
    select
        workspace_id::bigint as workspace_id, '' as internal_customer_id, name as attribute_name,
        value as attribute_value, held_from as "timestamp",
    from attribute_rows where false
        """,
        even_empty=True,
    )
    export.parquet(
        file_name("objects", BRAND_WORKSPACE, BATCHES),
        f"""
        select
            {BRAND_WORKSPACE}::bigint as workspace_id, 'household' as object_type,
            1::bigint as object_id,
        """,
    )


def _write_heap(export: Export) -> None:
    """Heap Connect: users and sessions in two dumps each, and the merge map."""
    for dump in (0, 1):
        export.parquet(
            f"heap/users_{dump + 1}.parquet",
            f"""
        select user_id, identity, email, joindate, last_modified
        from heap_users where i % 2 = {dump} order by user_id
            """,
        )
        export.parquet(
            f"heap/sessions_{dump + 1}.parquet",
            f"""
        select session_id, user_id, time, library, platform
        from heap_sessions where session_id % 2 = {dump} order by session_id
            """,
        )
    export.parquet(
        "heap/user_migrations_1.parquet",
        "select from_user_id, to_user_id, time from heap_migrations order by from_user_id",
    )
