"""Behavior on the site, at the till and in the app."""

from __future__ import annotations

from pathlib import Path

from pipelines.sample.brand import EXPORT_DAYS
from pipelines.sample.files.export import Export, clock_type
from pipelines.sql import read_sql

SQL = Path(__file__).with_name("sql")


def write_behavior(export: Export, batch: int) -> None:
    """Behavior by batch; the till's orders come as CSV, the app's visits as JSON, once each."""
    named = read_sql(SQL / "behavior.sql", batch=batch, batch_before=batch - 1)
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
    select * replace (occurred_at::{clock_type(batch)} as occurred_at) from ({named})
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
