"""The warehouse and the ledger as a reader sees them: by name, read-only, never kept open."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import duckdb

from pipelines import built
from pipelines.errors import CounterfoilError
from pipelines.settings import Settings

Record = dict[str, Any]
"""One row: column name to value."""


@dataclass
class Tables:
    """One open database whose relations are found by name in any schema.

    `used` and `missing` remember what was asked for, so that a reader can say what was not there.
    """

    db: duckdb.DuckDBPyConnection
    places: dict[str, str]
    columns: dict[str, tuple[str, ...]]
    used: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)

    def has(self, *names: str) -> bool:
        """Whether every one of these relations is there; remembers the answer."""
        self.used.update(name for name in names if name in self.places)
        self.missing.update(name for name in names if name not in self.places)
        return all(name in self.places for name in names)

    def has_column(self, name: str, column: str) -> bool:
        """Whether a relation is there and has this column."""
        return self.has(name) and column in self.columns[name]

    def rows(
        self, sql: str, values: Sequence[object] = (), *, reads: Sequence[str]
    ) -> list[Record]:
        """Every row of a query, or none when one of the relations it reads is not there.

        `{name}` in the SQL stands for the relation `name` of `reads`.
        """
        if not self.has(*reads):
            return []
        cursor = self.db.execute(sql.format_map(self.places), list(values))
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def value(self, sql: str, values: Sequence[object] = (), *, reads: Sequence[str]) -> Any:
        """The first column of the first row, or None."""
        found = self.rows(sql, values, reads=reads)
        return next(iter(found[0].values())) if found else None


@contextmanager
def open_warehouse(settings: Settings) -> Iterator[Tables]:
    """Open the warehouse read-only for the block.

    Raises:
        CounterfoilError: it was not built, not built whole, or a build is writing it.
    """
    if not settings.warehouse_path.exists():
        raise CounterfoilError(
            "Nothing was built yet (warehouse.duckdb is missing): run `counterfoil build` first."
        )
    try:
        db = duckdb.connect(str(settings.warehouse_path), read_only=True)
    except duckdb.Error as error:
        raise CounterfoilError(
            "The warehouse cannot be read: another process is writing it, or it is damaged. Wait "
            "until the build has finished, or build again."
        ) from error
    try:
        built.require_whole(db)
        yield _tables(db)
    finally:
        db.close()


def attach_ledger(tables: Tables, settings: Settings) -> Tables | None:
    """The ledger attached read-only beside an open warehouse; None when nothing was published.

    Raises:
        CounterfoilError: a publish is writing it.
    """
    if not settings.ledger_path.exists():
        return None
    path = str(settings.ledger_path).replace("'", "''")
    try:
        tables.db.execute(f"attach '{path}' as ledger (read_only)")
    except duckdb.Error as error:
        raise CounterfoilError(
            "The ledger is in use by another process: wait until the publish has finished."
        ) from error
    return _tables(tables.db, "ledger")


def read_as_of(tables: Tables) -> datetime:
    """The instant the warehouse was built as of.

    Raises:
        CounterfoilError: it was not built whole.
    """
    return built.require_whole(tables.db).as_of


def read_manifest(settings: Settings, tables: Tables) -> dict[str, Any]:
    """What dbt wrote about the build that the warehouse holds; empty when it is not there.

    Raises:
        CounterfoilError: it is there and cannot be read, or is another build's.
    """
    path = settings.home / "manifest.json"
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise CounterfoilError(
            "manifest.json cannot be read: run `counterfoil build` again."
        ) from error
    manifest: dict[str, Any] = found if isinstance(found, dict) else {}
    built.require_same(built.require_whole(tables.db), manifest)
    return manifest


def definitions_hash(manifest: dict[str, Any]) -> str | None:
    """One hash over every model's, seed's and test's own checksum: the same SQL, the same hash."""
    nodes = manifest.get("nodes") or {}
    sums = sorted(
        (str(name), str((node.get("checksum") or {}).get("checksum", "")))
        for name, node in nodes.items()
        if node.get("resource_type") in {"model", "seed"}
    )
    if not sums:
        return None
    return hashlib.sha256(json.dumps(sums).encode()).hexdigest()[:12]


def _tables(db: duckdb.DuckDBPyConnection, catalog: str | None = None) -> Tables:
    # The contract finds relations by name in any schema; should two schemas hold one name,
    # what is published wins over what leads to it.
    db.execute("set timezone = 'UTC'")
    found = db.execute(
        """
        select
            table_catalog, table_schema, table_name,
            list(column_name order by ordinal_position) as column_names
        from information_schema.columns
        where table_catalog = coalesce($1, current_database())
        group by table_catalog, table_schema, table_name
        order by table_schema in ('heap', 'marts', 'registries', 'main'), table_schema
        """,
        [catalog],
    ).fetchall()
    places = {name: f'"{database}"."{schema}"."{name}"' for database, schema, name, _ in found}
    columns = {name: tuple(names) for _, _, name, names in found}
    return Tables(db, places, columns)
