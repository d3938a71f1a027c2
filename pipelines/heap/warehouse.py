"""The warehouse as the publisher sees it: attached read-only to the ledger's connection, and only while it reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import duckdb

from pipelines.errors import CounterfoilError
from pipelines.heap.ledger import Ledger
from pipelines.heap.marts import HeapModel
from pipelines.heap.payload import Column, literal, quoted
from pipelines.settings import Settings

ALIAS = "warehouse"


@dataclass(frozen=True)
class Warehouse:
    """An attached warehouse: finds relations by name in any schema."""

    db: duckdb.DuckDBPyConnection

    def find(self, name: str, schema: str | None = None) -> str | None:
        """The full name of a relation, or None; `schema` decides when several schemas hold it."""
        found = self.db.execute(
            "select table_schema from information_schema.tables "
            "where table_catalog = ? and table_name = ? "
            "order by table_schema is distinct from ?, table_schema",
            [ALIAS, name, schema],
        ).fetchall()
        return f"{ALIAS}.{quoted(found[0][0])}.{quoted(name)}" if found else None

    def columns(self, relation: str) -> dict[str, str]:
        """Column names and DuckDB types of a relation found by `find`."""
        found = self.db.execute(f"describe {relation}").fetchall()
        return {row[0]: row[1] for row in found}

    def mart(self, model: HeapModel) -> tuple[str, list[Column]]:
        """A Heap model's relation and its property columns with their types.

        Raises:
            CounterfoilError: the build and the warehouse disagree.
        """
        relation = self.find(model.alias, model.schema)
        if relation is None:
            raise CounterfoilError(
                f"The warehouse has no {model.alias}: run `counterfoil build` first."
            )
        types = self.columns(relation)
        missing = [name for name in model.properties if name not in types]
        if missing:
            raise CounterfoilError(
                f"{model.alias} lacks {', '.join(missing)} of its contract: "
                "run `counterfoil build` again."
            )
        return relation, [Column(name, types[name]) for name in model.properties]

    def as_of(self) -> datetime | None:
        """The instant the warehouse was built as of; None when it does not say."""
        relation = self.find("dim_build")
        if relation is None:
            return None
        found = self.db.execute(f"select max(cast(as_of as timestamp)) from {relation}").fetchall()
        instant: datetime | None = found[0][0]
        return instant


@contextmanager
def attached(ledger: Ledger, settings: Settings) -> Iterator[Warehouse]:
    """Attach the warehouse read-only for the block.

    Raises:
        CounterfoilError: it was not built, or a build is writing it.
    """
    if not settings.warehouse_path.exists():
        raise CounterfoilError(
            "Nothing was built yet (warehouse.duckdb is missing): run `counterfoil build` first."
        )
    try:
        ledger.db.execute(f"attach {literal(str(settings.warehouse_path))} as {ALIAS} (read_only)")
    except duckdb.IOException as error:
        raise CounterfoilError(
            "The warehouse is in use by another process: wait until the build has finished."
        ) from error
    try:
        yield Warehouse(ledger.db)
    finally:
        ledger.db.execute(f"detach {ALIAS}")
