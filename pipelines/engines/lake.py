"""The folder between DuckDB and Spark: what was loaded goes over, what is read comes back.

Both are Parquet with explicit columns; times are UTC on both sides, without a zone in DuckDB and
with one in Spark. The folder lies where a build keeps what is not done yet (`built.next_build`),
so whatever removes that, a next build or an erasure, removes it too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import duckdb

from pipelines.built.quoting import literal, quoted
from pipelines.errors import CounterfoilError
from pipelines.loading import rawfiles
from pipelines.loading.families import LOAD_ID
from pipelines.quiet import NO_DOWNLOADS
from pipelines.settings import Settings

FOLDER = "lake"
READ_WHOLE = ("registries", "marts", "heap")
"""Schemas that come back whole; of others, what an exposure names and what that is made of."""

LOADS_AT_ONCE = 500
"""Partitions that one statement adds."""

MARK = ("main", "whole_build")

OURS = "made by a build of Counterfoil, which drops it"
"""The comment of every schema that a build makes: a server holds those of others too."""

_SPARK = {"VARCHAR": "string", "INTEGER": "int", "TIMESTAMP WITH TIME ZONE": "timestamp"}
_DUCKDB = {"string": "varchar", "array<string>": "varchar[]"}
"""What one engine calls a type that the other calls otherwise."""


def hand_over(settings: Settings, folder: Path, session: Any, *, prefix: str) -> None:
    """Let Spark see every table and view of raw.duckdb, in schemas with `prefix` before them.

    Rows that lie in files already (`loading.rawfiles`) are read where they are; others are copied.

    Raises:
        CounterfoilError: Spark does not find them all.
    """
    _make_schema(session, MARK[0])  # no model lies in the mark's
    with duckdb.connect(str(settings.raw_path), read_only=True) as db:
        _limit(db, settings, folder)
        in_files = rawfiles.views(db)
        for schema, table, columns in _relations(db):
            _make_schema(session, f"{prefix}{schema}")
            # in a schema that is not ours, the last build's is still there, whose files are gone
            session.sql(f"drop table if exists {prefix}{schema}.{table}")
            place = folder / "raw" / schema / table
            if (schema, table) in in_files:
                files = rawfiles.listed(db, schema, table)
                folders = {file.load_id: file.path(settings.home).parent for file in files}
                _show_loads(session, f"{prefix}{schema}.{table}", columns, place, folders)
                count = rawfiles.count_rows(db, schema, table)
                _require_rows(session, f"{prefix}{schema}.{table}", count)
            else:
                _copy(db, session, (schema, table), columns, place, f"{prefix}{schema}.{table}")


def hand_over_former(settings: Settings, folder: Path, session: Any, warehouse: Path) -> None:
    """Let Spark see what a build that is made anew brings of the last one."""
    with duckdb.connect(str(warehouse), read_only=True) as db:
        _limit(db, settings, folder)
        for schema, table, columns in _relations(db):
            _make_schema(session, schema)
            name = f"{schema}.{table}"
            session.sql(f"drop table if exists {name}")
            _copy(db, session, (schema, table), columns, folder / "former" / schema / table, name)


def _copy(
    db: Any,
    session: Any,
    relation: tuple[str, str],
    columns: dict[str, str],
    place: Path,
    name: str,
) -> None:
    """A table of Spark's over Parquet files with the rows of a relation."""
    place.parent.mkdir(parents=True, exist_ok=True)
    shown = ", ".join(_with_zone(column, kind) for column, kind in columns.items())
    (count,) = db.execute(
        f"copy (select {shown} from {_place(*relation)}) "
        f"to {literal(str(place))} (format parquet, file_size_bytes '256MB')"
    ).fetchone()
    session.sql(
        f"create table {name} ({_declared(columns)}) using parquet "
        f"location {_spark_literal(f'file:{place}')}"
    )
    _require_rows(session, name, count)


def _require_rows(session: Any, name: str, count: int) -> None:
    """Make sure that Spark finds what lies there: a folder that it does not see has no row for it.

    Raises:
        CounterfoilError: it finds other rows.
    """
    found = session.table(name).count()
    if found != count:
        raise CounterfoilError(
            f"Spark finds {found:,} of {count:,} rows of {name}: the state folder must lie on a "
            "disk that all of Spark sees under the same path (docs/scale.md), with nothing beside "
            "the files of ours."
        )


def _show_loads(
    session: Any, name: str, columns: dict[str, str], place: Path, folders: dict[str, Path]
) -> None:
    """A table with a partition for each load that was finished, over the folder of its files.

    Args:
        place: where a partition would go that Spark wrote: none does.
    """
    session.sql(
        f"create table {name} ({_declared(columns)}) using parquet "
        f"partitioned by (`{LOAD_ID}`) location {_spark_literal(f'file:{place}')}"
    )
    parts = [
        f"partition (`{LOAD_ID}` = {_spark_literal(load_id)}) "
        f"location {_spark_literal(f'file:{folder}')}"
        for load_id, folder in sorted(folders.items())
    ]
    for start in range(0, len(parts), LOADS_AT_ONCE):
        session.sql(f"alter table {name} add {' '.join(parts[start : start + LOADS_AT_ONCE])}")


def _declared(columns: dict[str, str]) -> str:
    return ", ".join(f"`{name}` {_SPARK.get(kind, kind.lower())}" for name, kind in columns.items())


def hand_back(
    settings: Settings, folder: Path, session: Any, relations: set[tuple[str, str]], warehouse: Path
) -> None:
    """Write relations of Spark's into `warehouse`, as tables; the mark of a whole build comes last.

    Raises:
        CounterfoilError: their files cannot be read from here.
    """
    with duckdb.connect(str(warehouse)) as db:
        _limit(db, settings, folder)
        db.execute(f"drop table if exists {_place(*MARK)}")
        for schema, table in [*sorted(relations - {MARK}), *(relations & {MARK})]:
            db.execute(f"create schema if not exists {quoted(schema)}")
            files = _files(folder, session, schema, table)
            db.execute(
                f"create or replace table {_place(schema, table)} as "
                f"{_selected(session.table(f'{schema}.{table}').schema.fields, files)}"
            )


def drop_ours(session: Any) -> None:
    """Drop every schema that a build has made, this one or one that was killed, with its tables."""
    for (schema,) in session.sql("show schemas").collect():
        told = {row[0]: row[1] for row in session.sql(f"describe schema `{schema}`").collect()}
        if told.get("Comment") == OURS:
            session.sql(f"drop schema if exists `{schema}` cascade")


def relations(session: Any) -> set[tuple[str, str]]:
    """Schema and name of every relation that Spark has."""
    return {
        (row["namespace"], row["tableName"])
        for schema in session.sql("show schemas").collect()
        for row in session.sql(f"show tables in {schema[0]}").collect()
        if not row["isTemporary"]
    }


def wanted(manifest: Any) -> set[tuple[str, str]]:
    """Schema and name of every relation that Python reads, by dbt's manifest, and the mark."""
    nodes = {key: node for key, node in manifest.nodes.items() if hasattr(node, "alias")}
    read = {key for exposure in manifest.exposures.values() for key in exposure.depends_on.nodes}
    read |= {key for key, node in nodes.items() if node.schema in READ_WHOLE}
    # an explanation counts the rows that a figure is made of
    beneath = {
        key for one in read & nodes.keys() for key in getattr(nodes[one].depends_on, "nodes", ())
    }
    return {MARK} | {
        (nodes[key].schema, nodes[key].alias)
        for key in (read | beneath) & nodes.keys()
        if nodes[key].resource_type in ("model", "seed")
    }


def _relations(db: Any) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Schema, name and columns with their types of each relation of a database."""
    found = db.execute(
        "select table_schema, table_name, column_name, data_type from information_schema.columns "
        "where table_catalog = current_database() order by table_schema, table_name, "
        "ordinal_position"
    ).fetchall()
    columns: dict[tuple[str, str], dict[str, str]] = {}
    for schema, table, name, kind in found:
        columns.setdefault((schema, table), {})[name] = kind
    for (schema, table), kinds in columns.items():
        yield schema, table, kinds


def _make_schema(session: Any, name: str) -> None:
    session.sql(f"create schema if not exists {name} comment {_spark_literal(OURS)}")


def _with_zone(name: str, kind: str) -> str:
    said = quoted(name)
    return f"cast({said} as timestamptz) as {said}" if kind == "TIMESTAMP" else said


def _files(folder: Path, session: Any, schema: str, table: str) -> list[str]:
    """The Parquet files of a relation: its own, or for a view or another format a copy's.

    Raises:
        CounterfoilError: they lie on no disk of this machine.
    """
    frame = session.table(f"{schema}.{table}")
    found = session.sql(f"describe extended {schema}.{table}").collect()
    told = {row[0]: str(row[1]).lower() for row in found}
    if told.get("Type") == "view" or told.get("Provider") != "parquet":
        place = folder / "back" / schema / table
        frame.write.mode("overwrite").parquet(f"file:{place}")
        frame = session.read.schema(frame.schema).parquet(f"file:{place}")
    return sorted(_local(uri) for uri in frame.inputFiles())


def _selected(fields: Sequence[Any], files: Sequence[str]) -> str:
    """Files of Spark's as a query that DuckDB can run; no row where there are none."""
    names = [quoted(field.name) for field in fields]
    kinds = [_DUCKDB.get(kind := field.dataType.simpleString(), kind) for field in fields]
    shown = ", ".join(
        f"cast({name} as {kind}) as {name}" for name, kind in zip(names, kinds, strict=True)
    )
    if not files:
        nothing = ", ".join(f"null as {name}" for name in names)
        return f"select {shown} from (select {nothing}) where false"
    return f"select {shown} from read_parquet([{', '.join(map(literal, files))}])"


def _local(uri: str) -> str:
    parts = urlsplit(uri)
    if parts.scheme not in ("", "file"):
        raise CounterfoilError(
            f"Spark keeps its tables in {parts.scheme}, and only what lies on a disk that this "
            "machine shares can be read back: see docs/scale.md."
        )
    return unquote(parts.path)


def _place(schema: str, table: str) -> str:
    return f"{quoted(schema)}.{quoted(table)}"


def _spark_literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _limit(db: Any, settings: Settings, folder: Path) -> None:
    db.execute(f"set memory_limit = {literal(settings.memory_limit)}")
    db.execute(f"set threads = {settings.threads}")
    db.execute("set TimeZone = 'UTC'")
    db.execute("set preserve_insertion_order = false")
    db.execute(NO_DOWNLOADS)
    db.execute(f"set temp_directory = {literal(str(folder / 'spill'))}")
