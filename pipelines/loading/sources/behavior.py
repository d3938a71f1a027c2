"""Orders, product and checkout events in files of the brand's own making."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from pipelines.loading.families import READERS, Family, FileName, columns, extension

BEHAVIOR_NAME = re.compile(r"behavior.*\.(?:parquet|csv(?:\.gz)?|jsonl(?:\.gz)?)", re.DOTALL)

EVENTS = Family(
    name="behavior",
    dataset="behavior",
    table="events",
    declared=(
        *columns("id", "thing", "event_id"),
        *columns("id", "customer_id", "customer_id"),
        *columns("word", "email", "email"),
        *columns("word", "none", "event_name"),
        *columns("id", "thing", "product_id"),
        *columns("text", "none", "category"),
        *columns("decimal", "none", "value"),
        *columns("event_time", "none", "occurred_at"),
    ),
    required=("event_id", "event_name", "occurred_at"),
    required_any=(("customer_id", "email"),),
    not_null=("event_id", "event_name", "occurred_at"),
    keeps_lines=True,
)


def recognise(path: PurePosixPath) -> FileName | None:
    """What `path` is if it is a behavior file, or None."""
    if not BEHAVIOR_NAME.fullmatch(path.name):
        return None
    return FileName(EVENTS, READERS[extension(path.name)])
