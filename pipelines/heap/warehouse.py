"""The warehouse as the publisher sees it: attached read-only, and only while it reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import duckdb

from pipelines import built
from pipelines.built import WholeBuild
from pipelines.errors import CounterfoilError
from pipelines.heap.ledger import Ledger
from pipelines.heap.marts import HeapModel
from pipelines.heap.payload import Column, literal, quoted
from pipelines.settings import Settings

ALIAS = "warehouse"


@dataclass(frozen=True)
class Warehouse:
    """An attached warehouse of a whole build: finds relations by name in any schema."""

    db: duckdb.DuckDBPyConnection
    whole: WholeBuild

    @property
    def as_of(self) -> datetime:
        """The instant the warehouse was built as of."""
        return self.whole.as_of

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

    def require(self, name: str, *columns: str) -> str:
        """The full name of a relation that a gate cannot do without.

        Raises:
            CounterfoilError: it is not there, lacks a column, or is there twice.
        """
        found = self.db.execute(
            "select table_schema, list(column_name) from information_schema.columns "
            "where table_catalog = ? and table_name = ? group by table_schema",
            [ALIAS, name],
        ).fetchall()
        held = set(found[0][1]) if len(found) == 1 else set()
        missing = [column for column in columns if column not in held]
        if len(found) > 1:
            problem = f"{name} stands in {len(found)} schemas"
        elif not found:
            problem = f"it has no {name}"
        elif missing:
            problem = f"its {name} lacks {', '.join(missing)}"
        else:
            return f"{ALIAS}.{quoted(found[0][0])}.{quoted(name)}"
        raise CounterfoilError(
            f"The gates cannot be checked against this warehouse ({problem}), so nothing is told: "
            "run `counterfoil build`."
        )


@contextmanager
def attached(ledger: Ledger, settings: Settings) -> Iterator[Warehouse]:
    """Attach the warehouse read-only for the block.

    Raises:
        CounterfoilError: it was not built, not built whole, or a build is writing it.
    """
    if not settings.warehouse_path.exists():
        raise CounterfoilError(
            "Nothing was built yet (warehouse.duckdb is missing), so no gate can be checked and "
            "nothing was told: run `counterfoil build` first."
        )
    try:
        ledger.db.execute(f"attach {literal(str(settings.warehouse_path))} as {ALIAS} (read_only)")
    except duckdb.Error as error:
        raise CounterfoilError(
            "The warehouse cannot be read: another process is writing it, or it is damaged. Wait "
            "until the build has finished, or build again."
        ) from error
    try:
        yield Warehouse(ledger.db, built.require_whole(ledger.db, ALIAS))
    finally:
        ledger.db.execute(f"detach {ALIAS}")
