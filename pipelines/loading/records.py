"""What is written down of files: in the package that their rows are in, and in plain tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.built.quoting import literal, quoted
from pipelines.loading import raw, rawfiles, rejected_rows
from pipelines.loading.batches import Batch
from pipelines.loading.families import DDL, LOAD_ID, Family
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


def of_package(
    connection: raw.Connection,
    home: Path,
    dataset: str,
    load_id: str,
    said: Sequence[Handed],
    families: Sequence[Family],
) -> None:
    """Let the files of a package count, with what is said of what they are from: all or nothing.

    Args:
        load_id: the package.
        said: see `of_files`.
        families: those of the package.
    """
    import pyarrow.parquet as pq

    found = [
        rawfiles.RawFile(dataset, table, load_id, name, ())
        for table, name in rawfiles.written(home, dataset, load_id)
    ]
    connection.execute("begin")
    try:
        for file in found:
            names = tuple(pq.read_schema(file.path(home)).names)
            rawfiles.add(connection, replace(file, columns=names), home)
        for part in said:
            names_of = ", ".join(quoted(name) for name in part.columns)
            connection.execute(
                f"insert into {quoted(dataset)}.{quoted(part.table)} ({names_of}, {LOAD_ID})"
                f" select {names_of}, {literal(load_id)} from ({part.select})"
            )
        packages = f"{quoted(dataset)}._dlt_loads"
        connection.execute(
            f"create table if not exists {packages} (load_id varchar not null, schema_name varchar,"
            " status bigint not null, inserted_at timestamptz not null,"
            " schema_version_hash varchar)"
        )
        connection.execute(
            f"insert into {packages} values (?, ?, 0, now(), null)", [load_id, dataset]
        )
        rawfiles.show(connection, home, families)
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise
    rawfiles.drop_unlisted(connection, home)


def insert(connection: raw.Connection, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Rows of facts about files, a thousand a statement."""
    for start in range(0, len(rows), 1000):
        part = rows[start : start + 1000]
        marks = ", ".join(["(" + ", ".join("?" * len(part[0])) + ")"] * len(part))
        connection.execute(
            f"insert into {table} values {marks}", [value for row in part for value in row]
        )
