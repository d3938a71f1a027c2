"""What Heap Connect gives back: users, sessions, merges, and one table per synced event."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from pipelines.loading.families import READERS, Family, FileName, columns, extension

DATASET = "heap_connect"
FOLDER = "heap"
# `users.parquet`, `users_000.avro`, `sessions-part-1.avro`: a table, then how the dump numbers it.
PART = r"(?:[-_. ]*(?:part|chunk|file|[0-9a-f]*\d[0-9a-f]*))*"
TABLE_NAME = re.compile(rf"(?P<table>users|sessions|user_migrations){PART}")
EVENT_NAME = re.compile(r"(?P<table>.+?)(?:[-_. ]+(?:part|chunk|file|\d+))*", re.DOTALL)

USERS = Family(
    name="heap_users",
    dataset=DATASET,
    table="users",
    declared=(
        *columns("bigint", "heap_user_id", "user_id"),
        *columns("id", "heap_identity", "identity"),
        *columns("word", "email", "email"),
        *columns("timestamp", "none", "joindate last_modified"),
    ),
    required=("user_id",),
    not_null=("user_id",),
    required_any=(("identity", "email", "joindate"),),
)
SESSIONS = Family(
    name="heap_sessions",
    dataset=DATASET,
    table="sessions",
    declared=(
        *columns("bigint", "thing", "session_id"),
        *columns("bigint", "heap_user_id", "user_id"),
        *columns("text", "none", "library platform"),
        *columns("event_time", "none", "time"),
    ),
    required=("session_id", "user_id", "time"),
    not_null=("session_id", "user_id"),
)
USER_MIGRATIONS = Family(
    name="heap_user_migrations",
    dataset=DATASET,
    table="user_migrations",
    declared=(
        *columns("bigint", "heap_user_id", "from_user_id to_user_id"),
        *columns("timestamp", "none", "time"),
    ),
    required=("from_user_id", "to_user_id"),
    not_null=("from_user_id", "to_user_id"),
)
EVENTS = Family(
    name="heap_events",
    dataset=DATASET,
    table="events",
    declared=(
        *columns("text", "none", "event_table_name"),
        *columns("bigint", "thing", "event_id"),
        *columns("bigint", "heap_user_id", "user_id"),
        *columns("bigint", "thing", "session_id"),
        *columns("id", "none", "publish_key"),
        *columns("event_time", "none", "time"),
    ),
    required=("event_id", "user_id", "time"),
    not_null=("event_id", "time"),
)
FAMILIES = (USERS, SESSIONS, USER_MIGRATIONS, EVENTS)
_BY_TABLE = {family.table: family for family in FAMILIES[:3]}


def recognise(path: PurePosixPath) -> FileName | None:
    """What `path` is if it lies in a folder named `heap`, or None."""
    ending = extension(path.name)
    if path.parent.name != FOLDER or ending not in (".parquet", ".avro"):
        return None
    stem = path.name[: -len(ending)]
    if not stem or stem.startswith("_"):  # _sync_history and the like describe the dump
        return None
    if match := TABLE_NAME.fullmatch(stem):
        return FileName(_BY_TABLE[match["table"]], READERS[ending])
    match = EVENT_NAME.fullmatch(stem)
    table = match["table"] if match else stem
    return FileName(EVENTS, READERS[ending], constants=(("event_table_name", table),))
