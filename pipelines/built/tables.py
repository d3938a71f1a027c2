"""The warehouse and the ledger as a reader sees them: by name, read-only, never kept open.

Whoever reads what dbt built names its relations as texts in the code: in `reads`, in `has`, `find`
and `require`, or as `{name}` in a statement or a `.sql` file. There tests/python/house/
test_exposures.py finds them, and holds them against models/exposures.yml.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Self

import duckdb

from pipelines.built.manifest import find_manifest
from pipelines.built.quoting import literal, quoted
from pipelines.built.whole import WholeBuild, find_whole, require_whole
from pipelines.errors import CounterfoilError
from pipelines.opening import readable
from pipelines.settings import Settings
from pipelines.sql import fill, names_in

Record = dict[str, Any]
"""One row: column name to value."""

Values = Sequence[object] | Mapping[str, object]
"""What a statement's parameters stand for: in their order, or by name (`$name`)."""

_PARAMETER = re.compile(r"\$(\w+)")

PUBLISHED = ("main", "registries", "marts", "heap")
"""Should two schemas hold one name, what is published wins over what leads to it: last first."""


@dataclass
class Tables:
    """One open database whose relations are found by name in any schema.

    `used` and `missing` remember what was asked for, so that a reader can say what was not there.

    Attributes:
        places: the full name of each relation, as SQL.
        columns: the names of its columns in their order.
        mark: of the whole build; None for a database that no build made.
        manifest: what dbt wrote about that build, where `open_warehouse` opened it; empty when it
            is not there.
    """

    NOT_BUILT: ClassVar[str] = (
        "Nothing was built yet (warehouse.duckdb is missing): run `counterfoil build` first."
    )
    UNFIT: ClassVar[str] = "The warehouse cannot be read ({problem}): run `counterfoil build`."

    db: duckdb.DuckDBPyConnection
    catalog: str
    places: dict[str, str] = field(default_factory=dict)
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    schemas: dict[str, list[str]] = field(default_factory=dict)
    mark: WholeBuild | None = None
    manifest: dict[str, Any] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for schema, name, columns in self._relations():
            self.schemas.setdefault(name, []).append(schema)
            self.places[name] = self._place(schema, name)
            self.columns[name] = tuple(columns)

    @classmethod
    @contextmanager
    def attached(cls, db: duckdb.DuckDBPyConnection, settings: Settings) -> Iterator[Self]:
        """The warehouse read-only beside what `db` holds, for the block, as `warehouse`.

        Raises:
            CounterfoilError: it was not built, not built whole, or a build is writing it.
        """
        cls._require_file(settings)
        with readable(settings.warehouse_path):
            db.execute(f"attach {literal(str(settings.warehouse_path))} as warehouse (read_only)")
        try:
            yield cls(db, "warehouse", mark=require_whole(db, "warehouse"))
        finally:
            db.execute("detach warehouse")

    @classmethod
    @contextmanager
    def opened(cls, settings: Settings) -> Iterator[Self]:
        """The warehouse read-only for the block, on a connection of its own.

        Raises:
            CounterfoilError: it was not built, not built whole, or a build is writing it.
        """
        with cls.opened_in_part(settings) as tables:
            tables.mark = require_whole(tables.db)
            yield tables

    @classmethod
    @contextmanager
    def opened_in_part(cls, settings: Settings) -> Iterator[Self]:
        """The same of whatever is there, whole or not: for the build itself, which asks what is.

        Raises:
            CounterfoilError: it was not built, or a build is writing it.
        """
        cls._require_file(settings)
        with readable(settings.warehouse_path):
            db = duckdb.connect(str(settings.warehouse_path), read_only=True)
        try:
            db.execute("set timezone = 'UTC'")
            yield cls(db, _catalog(db), mark=find_whole(db))
        finally:
            db.close()

    @property
    def whole(self) -> WholeBuild:
        """The mark of the build that the warehouse holds.

        Raises:
            CounterfoilError: it was not built whole.
        """
        return self.mark or require_whole(self.db, self.catalog)

    @property
    def as_of(self) -> datetime:
        """The instant the warehouse was built as of."""
        return self.whole.as_of

    def has(self, *names: str) -> bool:
        """Whether every one of these relations is there; remembers the answer."""
        self.used.update(name for name in names if name in self.places)
        self.missing.update(name for name in names if name not in self.places)
        return all(name in self.places for name in names)

    def find(self, name: str, schema: str | None = None) -> str | None:
        """The full name of a relation, or None; `schema` decides when several schemas hold it."""
        if not self.has(name):
            return None
        if schema is not None and schema in self.schemas[name]:
            return self._place(schema, name)
        return self.places[name]

    def require(self, name: str, *columns: str) -> str:
        """The full name of a relation that the reader cannot do without.

        Raises:
            CounterfoilError: it is not there, lacks a column, or is there twice.
        """
        schemas = self.schemas.get(name, [])
        missing = [column for column in columns if column not in self.columns.get(name, ())]
        if len(schemas) > 1:
            problem = f"{name} stands in {len(schemas)} schemas"
        elif not self.has(name):
            problem = f"it has no {name}"
        elif missing:
            problem = f"its {name} lacks {', '.join(missing)}"
        else:
            return self.places[name]
        raise CounterfoilError(self.UNFIT.format(problem=problem))

    def types(self, place: str) -> dict[str, str]:
        """Column names and DuckDB types of a relation found by `find` or `require`."""
        found = self.db.execute(f"describe {place}").fetchall()
        return {row[0]: row[1] for row in found}

    def rows(self, sql: str, values: Values = (), *, reads: Sequence[str]) -> list[Record]:
        """Every row of a query, or none when one of the relations it reads is not there.

        `{name}` in the SQL stands for the relation `name` of `reads`. Of named values, those are
        handed on that the statement asks for.
        """
        if not self.has(*reads):
            return []
        statement = fill(sql, self.places)
        if isinstance(values, Mapping):
            asked = set(_PARAMETER.findall(statement))
            given: Any = {name: value for name, value in values.items() if name in asked}
        else:
            given = list(values)
        cursor = self.db.execute(statement, given)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def ask(self, file: Path, values: Values = ()) -> list[Record]:
        """Every row of the statement in a file; the names it leaves open are relations.

        Raises:
            CounterfoilError: one of them is not there.
        """
        reads = names_in(file)
        for name in reads:
            self.require(name)
        return self.rows(file.read_text(encoding="utf-8"), values, reads=reads)

    def value(self, sql: str, values: Values = (), *, reads: Sequence[str]) -> Any:
        """The first column of the first row, or None."""
        found = self.rows(sql, values, reads=reads)
        return next(iter(found[0].values())) if found else None

    @classmethod
    def _require_file(cls, settings: Settings) -> None:
        if not settings.warehouse_path.exists():
            raise CounterfoilError(cls.NOT_BUILT)

    def _place(self, schema: str, name: str) -> str:
        return ".".join(quoted(part) for part in (self.catalog, schema, name))

    def _relations(self) -> list[tuple[str, str, list[str]]]:
        """Schema, name and columns of every relation; of one name, the one that wins last."""
        found: list[tuple[str, str, list[str]]] = self.db.execute(
            """
            select table_schema, table_name, list(column_name order by ordinal_position)
            from information_schema.columns
            where table_catalog = $1
            group by table_schema, table_name
            order by coalesce(list_position($2, table_schema), 0), table_schema
            """,
            [self.catalog, list(PUBLISHED)],
        ).fetchall()
        return found


@contextmanager
def open_warehouse(settings: Settings) -> Iterator[Tables]:
    """Open the warehouse read-only for a block, with dbt's manifest of the very build.

    Raises:
        CounterfoilError: see `Tables.opened`, or the manifest is another build's: a home that holds
            two builds is read by nobody.
    """
    with Tables.opened(settings) as tables:
        tables.manifest = find_manifest(settings, tables.whole)
        yield tables


def attach_ledger(tables: Tables, settings: Settings) -> Tables | None:
    """The ledger attached read-only beside an open warehouse; None when nothing was published.

    Raises:
        CounterfoilError: a publish is writing it, or it is damaged.
    """
    if not settings.ledger_path.exists():
        return None
    with readable(settings.ledger_path):
        tables.db.execute(f"attach {literal(str(settings.ledger_path))} as ledger (read_only)")
    return Tables(tables.db, "ledger")


def read_as_of(tables: Tables) -> datetime:
    """The instant the warehouse was built as of.

    Raises:
        CounterfoilError: it was not built whole.
    """
    return tables.as_of


def _catalog(db: duckdb.DuckDBPyConnection) -> str:
    ((name,),) = db.execute("select current_database()").fetchall()
    return str(name)
