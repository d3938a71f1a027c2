"""`raw.duckdb`: its tables, its opening, and its clean-up after a load that was killed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from pipelines.built.quoting import literal, quoted
from pipelines.errors import CounterfoilError
from pipelines.home import OWN_IT, private
from pipelines.loading import rawfiles
from pipelines.loading.families import DDL, LOAD_ID, Family, Kind, columns
from pipelines.opening import ensure_database, explain_opening, explain_unexpected, is_damage
from pipelines.quiet import NO_DOWNLOADS
from pipelines.settings import Settings

Connection = Any

# In each dataset, written by the same dlt package as the rows: a file is known if and only if its
# rows are there.
LOADED_FILES = Family(
    name="loaded_files",
    dataset="",
    table="loaded_files",
    declared=(
        *columns("text", "file", "file_name"),
        *columns("text", "none", "family"),
        *columns("bigint", "none", "workspace_id schema_version file_sequence"),
        *columns("text", "none", "content_hash"),
        *columns("bigint", "none", "size_bytes count_rows"),
        *columns("timestamp", "none", "modified_at loaded_at"),
        *columns("text", "file", "location"),
    ),
)
# In each dataset too, and for the same reason: a file counts as read only with its bad lines told.
REJECTED_ROWS = Family(
    name="rejected_rows",
    dataset="",
    table="rejected_rows",
    declared=(
        *columns("text", "file", "file_name"),
        *columns("text", "none", "family content_hash"),
        *columns("text", "file", "location"),
        *columns("bigint", "none", "line_number"),
        *columns("text", "none", "column_name reason"),
        *columns("timestamp", "none", "loaded_at"),
    ),
)
# What the view loads.files shows, by type.
_SHOWN = {"schema_version": "integer"}

ATTACH_INCOMING = "attach if not exists ':memory:' as incoming"
"""SQL: a database of this process only, for what is on its way in."""


ELSEWHERE = "counterfoil-"
"""Before the name of a folder of the system that stands in for one of ours, and of its link."""


def datasets(families: Sequence[Family]) -> list[str]:
    """The raw schemas of `families`."""
    return sorted({family.dataset for family in families})


def scratch(settings: Settings) -> Path:
    """dlt's folder and our downloads. It exists only while a load runs, or after one was killed."""
    return settings.home / "dlt"


@contextmanager
def opened(settings: Settings, families: Sequence[Family]) -> Iterator[Connection]:
    """`raw.duckdb` for writing, with all its tables and without remains of a killed load.

    Raises:
        CounterfoilError: it is locked, not a DuckDB file, not writable, missing where rows lie in
            files, or the disk is full.
    """
    with private(settings.home), _opened(settings, families) as connection:
        yield connection


@contextmanager
def _opened(settings: Settings, families: Sequence[Family]) -> Iterator[Connection]:
    path = settings.raw_path
    rawfiles.require_list(path, settings.home)
    try:
        ensure_database(path)
        connection = duckdb.connect(str(path))
    except (duckdb.Error, OSError) as error:
        raise explain_opening(path, error) from error
    try:
        try:
            limit(connection, settings, spill=settings.home / "spill")
            connection.execute("set preserve_insertion_order = false")
            connection.execute("set enable_progress_bar = false")
            if scratch(settings).exists():
                _undo_unfinished(connection, families)
                _drop_elsewhere(scratch(settings))
            rawfiles.require_files(connection, settings.home)
            rawfiles.prepare(connection, families, is_wanted=settings.engine == "spark")
            _create(connection, families, settings.home)
            rawfiles.drop_unlisted(connection, settings.home)
        except duckdb.Error as error:
            raise explain(settings, error) from error
        yield connection
    finally:
        connection.close()


def limit(connection: Connection, settings: Settings, *, spill: Path) -> None:
    """Read on this connection within the settings, in UTC, and fetch nothing.

    Args:
        spill: a folder for what does not fit into memory.
    """
    connection.execute(f"set memory_limit = {literal(settings.memory_limit)}")
    connection.execute(f"set threads = {settings.threads}")
    connection.execute("set global TimeZone = 'UTC'")
    connection.execute(NO_DOWNLOADS)
    connection.execute(f"set temp_directory = {literal(str(spill))}")


def explain(settings: Settings, error: BaseException) -> CounterfoilError:
    """One sentence for an engine error that no input file caused."""
    text = str(error).lower()
    if is_damage(error):
        return explain_opening(settings.raw_path, error)
    if told := explain_unexpected(settings, error):
        return told
    if "read-only" in text or "permission denied" in text:
        return CounterfoilError(
            f"{settings.raw_path} cannot be written (permission denied): {OWN_IT}."
        )
    return CounterfoilError(
        f"The load stopped in the database ({type(error).__name__}): run it again, nothing is lost;"
        " --verbose shows the details."
    )


def _create(connection: Connection, families: Sequence[Family], home: Path) -> None:
    present = {
        (schema, table, column): kind.lower()
        for schema, table, column, kind in connection.execute(
            "select schema_name, table_name, column_name, data_type from duckdb_columns()"
            " where database_name = current_database()"
        ).fetchall()
    }
    are_files = rawfiles.is_used(connection)
    tables: list[tuple[str, str, dict[str, Kind]]] = [
        (family.dataset, family.table, {**family.columns, **family.marks})
        for family in families
        if not are_files
    ]
    tables += [
        (dataset, kept.table, kept.columns)
        for dataset in datasets(families)
        for kept in (LOADED_FILES, REJECTED_ROWS)
    ]
    existing = {(schema, table) for schema, table, _ in present}
    for dataset, table, known in tables:
        wanted = {name: DDL[kind] for name, kind in known.items()} | {LOAD_ID: "varchar"}
        target = f"{quoted(dataset)}.{quoted(table)}"
        if (dataset, table) not in existing:
            body = ", ".join(f"{quoted(name)} {kind}" for name, kind in wanted.items())
            connection.execute(f"create schema if not exists {quoted(dataset)}")
            connection.execute(f"create table if not exists {target} ({body})")
            continue
        for name, kind in wanted.items():
            if (dataset, table, name) not in present:
                connection.execute(f"alter table {target} add column {quoted(name)} {kind}")
    if are_files:
        rawfiles.show(connection, home, families)
    connection.execute("create schema if not exists loads")
    for view, kept in (("files", LOADED_FILES), ("rejected_rows", REJECTED_ROWS)):
        columns_shown = ", ".join(
            f"cast({name} as {_SHOWN[name]}) as {name}" if name in _SHOWN else name
            for name in [*kept.columns, LOAD_ID]
        )
        union = " union all ".join(
            f"select {columns_shown} from {quoted(dataset)}.{kept.table}"
            for dataset in datasets(families)
        )
        connection.execute(f"create or replace view loads.{view} as {union}")
    connection.execute(
        "create table if not exists loads.quarantine (file_name varchar, family varchar,"
        " content_hash varchar, reason varchar, location varchar, quarantined_at timestamp)"
    )
    for column in ("workspace_id bigint", "tried_as varchar"):
        connection.execute(f"alter table loads.quarantine add column if not exists {column}")
    connection.execute(
        "create table if not exists loads.replaced_files (file_name varchar, family varchar,"
        " location varchar, count_rows bigint, replaced_at timestamp)"
    )
    # a cache: which content a place, size and time of change stood for
    connection.execute(
        "create table if not exists loads.sightings (location varchar, size_bytes bigint,"
        " stamp varchar, content_hash varchar)"
    )


def _undo_unfinished(connection: Connection, families: Sequence[Family]) -> None:
    """Delete rows of packages that dlt never finished; their files are then new again."""
    for dataset in datasets(families):
        _delete_unfinished(connection, dataset)


def _drop_elsewhere(scratch: Path) -> None:
    """Remove what a killed load wrote out of the state folder."""
    for link in scratch.glob(f"{ELSEWHERE}*"):
        if link.is_symlink() and link.readlink().name == link.name:
            shutil.rmtree(link.readlink(), ignore_errors=True)


def finished(connection: Connection, dataset: str) -> set[str]:
    """The packages of `dataset` that dlt has finished, by their ids."""
    if not _has_packages(connection, dataset):
        return set()
    return {
        load_id
        for (load_id,) in connection.execute(
            f"select load_id from {quoted(dataset)}._dlt_loads where status = 0"
        ).fetchall()
    }


def undo(
    connection: Connection,
    dataset: str,
    before: set[str],
    home: Path,
    families: Sequence[Family],
) -> None:
    """Take back every package of `dataset` that was not finished `before`."""
    connection.executemany(
        f"delete from {quoted(dataset)}._dlt_loads where load_id = ?",
        [[load_id] for load_id in finished(connection, dataset) - before],
    )
    forget_unfinished(connection, dataset, home, families)


def _has_packages(connection: Connection, dataset: str) -> bool:
    return bool(
        connection.execute(
            "select count(*) from duckdb_tables() where database_name = current_database()"
            " and schema_name = ? and table_name = '_dlt_loads'",
            [dataset],
        ).fetchall()[0][0]
    )


def forget_unfinished(
    connection: Connection, dataset: str, home: Path, families: Sequence[Family]
) -> None:
    """Delete every row of `dataset` whose package is not in dlt's `_dlt_loads`, and every file.

    Args:
        families: those of the package.
    """
    _delete_unfinished(connection, dataset)
    if rawfiles.is_used(connection):
        rawfiles.show(connection, home, families)
        rawfiles.drop_unlisted(connection, home)


def _delete_unfinished(connection: Connection, dataset: str) -> None:
    tables = [
        name
        for (name,) in connection.execute(
            "select table_name from duckdb_columns()"
            " semi join duckdb_tables() using (database_name, schema_name, table_name)"
            " where database_name = current_database() and schema_name = ? and column_name = ?",
            [dataset, LOAD_ID],
        ).fetchall()
    ]
    done = f"select load_id from {quoted(dataset)}._dlt_loads where status = 0"
    condition = f"{LOAD_ID} not in ({done})" if _has_packages(connection, dataset) else "true"
    connection.execute("begin")
    for table in tables:
        connection.execute(
            f"delete from {quoted(dataset)}.{quoted(table)} where {condition} or {LOAD_ID} is null"
        )
    connection.execute("commit")
