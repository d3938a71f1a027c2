"""A database copied into a new file: DuckDB leaves what was deleted in free blocks of the old one.

The copy takes the place of the old file in one step, once it is whole and on disk. A stop before
that leaves the old file as it was.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from pipelines.built.quoting import literal, quoted
from pipelines.errors import CounterfoilError
from pipelines.home import to_disk

DUE = "rewrite_due"
"""A table of the schema `loads` that stands as long as deleted rows may linger in the file."""


def mark_due(db: duckdb.DuckDBPyConnection) -> None:
    """Note, in the transaction that deletes, that the file must be rewritten; kept until it was."""
    db.execute("create schema if not exists loads")
    db.execute(f"create table if not exists loads.{DUE} as select true as is_due")


def is_due(db: duckdb.DuckDBPyConnection) -> bool:
    """Whether rows were deleted from this file since it was last rewritten."""
    found = db.execute(
        "select count(*) from duckdb_tables() where database_name = current_database() "
        "and schema_name = 'loads' and table_name = ?",
        [DUE],
    ).fetchall()
    return bool(found[0][0])


def rewrite(path: Path, *, threads: int = 2, memory_limit: str = "4GB") -> None:
    """Copy a database into a new file, so that deleted blocks do not linger in the old one.

    Raises:
        CounterfoilError: the copy could not be made, or is not whole; the old file stays.
    """
    if not path.exists():
        return
    path = path.resolve()  # a link may lead to it
    partial = path.with_name(path.name + ".partial")
    try:
        for leftover in (partial, _wal(partial)):
            leftover.unlink(missing_ok=True)
        if _wal(path).exists():  # what it holds must be in the file before that is replaced
            duckdb.connect(str(path)).close()
        _copy(path, partial, {"threads": threads, "memory_limit": memory_limit})
        partial.chmod(path.stat().st_mode & 0o777)
        to_disk(partial)
        partial.replace(path)
        to_disk(path.parent)
        _wal(path).unlink(missing_ok=True)
    except (duckdb.Error, OSError) as error:
        partial.unlink(missing_ok=True)
        raise CounterfoilError(
            f"{path.name} could not be copied into a new file, so deleted rows may linger in it: "
            "free disk space for a second copy, close whatever holds it, then run this again."
        ) from error


def _copy(
    path: Path, partial: Path, config: dict[str, str | bool | int | float | list[str]]
) -> None:
    name = quoted(path.stem)
    with duckdb.connect(config={**config, "temp_directory": str(path.parent / "spill")}) as db:
        db.execute("set enable_progress_bar = false")
        db.execute(f"attach {literal(str(path))} as {name} (read_only)")
        db.execute(f"attach {literal(str(partial))} as rewritten")
        db.execute(f"copy from database {name} to rewritten")
        if _contents(db, path.stem) != _contents(db, "rewritten"):
            raise duckdb.DataError("the copy is not whole")
        db.execute(f"drop table if exists rewritten.loads.{DUE}")
        db.execute("checkpoint rewritten")
        db.execute("detach rewritten")
        db.execute(f"detach {name}")


def _contents(db: duckdb.DuckDBPyConnection, database: str) -> dict[tuple[str, str, str], int]:
    """Rows by table, and a one for every view."""
    found = {}
    for kind, listing in (("table", "duckdb_tables()"), ("view", "duckdb_views()")):
        for schema, name in db.execute(
            f"select schema_name, {kind}_name from {listing} "
            "where database_name = ? and not internal",
            [database],
        ).fetchall():
            relation = f"{quoted(database)}.{quoted(schema)}.{quoted(name)}"
            found[(kind, schema, name)] = (
                1
                if kind == "view"
                else int(db.execute(f"select count(*) from {relation}").fetchall()[0][0])
            )
    return found


def _wal(path: Path) -> Path:
    return path.with_name(path.name + ".wal")
