"""What is written down of files: in the package that their rows are in, and in plain tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pipelines.built.quoting import quoted
from pipelines.loading import raw, rejected_rows
from pipelines.loading.batches import Batch
from pipelines.loading.families import DDL
from pipelines.loading.handover import Handed


def of_files(connection: raw.Connection, batches: Sequence[Batch]) -> list[Handed]:
    """What is said of the files of `batches`, in the same package as their rows."""
    columns = raw.LOADED_FILES.columns
    body = ", ".join(f"{quoted(name)} {DDL[kind]}" for name, kind in columns.items())
    connection.execute(f"create or replace table incoming.main.loaded_files ({body})")
    now = datetime.now(UTC).replace(tzinfo=None)
    rows = [
        (
            found.name,
            found.kind.family.name,
            found.kind.workspace_id,
            found.kind.schema_version,
            found.kind.file_sequence,
            found.content_hash,
            found.size,
            found.rows,
            found.modified_at,
            now,
            found.location,
        )
        for batch in batches
        for found in batch.files
    ]
    insert(connection, "incoming.main.loaded_files", rows)
    names = ", ".join(quoted(name) for name in columns)
    files = Handed(
        table=raw.LOADED_FILES.table,
        columns=dict(columns),
        select=f"select {names} from incoming.main.loaded_files",
        rows=len(rows),
    )
    return [files, *rejected_rows.handed(connection, batches, now)]


def insert(connection: raw.Connection, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Rows of facts about files, a thousand a statement."""
    for start in range(0, len(rows), 1000):
        part = rows[start : start + 1000]
        marks = ", ".join(["(" + ", ".join("?" * len(part[0])) + ")"] * len(part))
        connection.execute(
            f"insert into {table} values {marks}", [value for row in part for value in row]
        )
