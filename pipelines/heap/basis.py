"""What a plan is made from: the marts, what the ledger knows of the target, what is due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pipelines.built.quoting import literal
from pipelines.errors import CounterfoilError
from pipelines.heap import gates, verdicts
from pipelines.heap.ledger import Ledger
from pipelines.heap.marts import CADENCES, HeapModel, check_types
from pipelines.heap.payload import Column, cut_sql, fault_sql
from pipelines.heap.warehouse import Warehouse
from pipelines.sql import read_sql

SQL = Path(__file__).with_name("sql")

MAX_PROPERTIES = 200
"""So that no row can outgrow a call: 200 properties of 1,023 four-byte characters are 0.8 MB."""


@dataclass(frozen=True)
class Mart:
    """A Heap model in the warehouse; `number` is what temp tables call it."""

    number: int
    model: HeapModel
    relation: str
    columns: list[Column]

    @property
    def fault(self) -> str:
        """SQL for the fault of a row's values, or null; expects the relation as `mart`."""
        faults = [fault for fault in (fault_sql(c, "mart") for c in self.columns) if fault]
        return f"coalesce({', '.join(faults)})" if faults else "cast(null as varchar)"

    @property
    def count_cut(self) -> str:
        """SQL for how many values of a row are longer than Heap takes."""
        cuts = [cut for cut in (cut_sql(c, "mart") for c in self.columns) if cut]
        return " + ".join(f"coalesce(cast({cut} as integer), 0)" for cut in cuts) or "0"


@dataclass(frozen=True)
class Basis:
    """The open ledger and warehouse, and the marts in their order of kind and name.

    Attributes:
        target: the ledger's name for the Heap environment; None when there is none.
        as_of: the instant to judge by, UTC.
        replay: only open dead letters are asked for.
        due: the marts whose cadence has passed.
        held_back: a label for each that is not due.
        retired: properties of segment versions that have retired.
    """

    ledger: Ledger
    warehouse: Warehouse
    target: str | None
    as_of: datetime
    replay: bool
    marts: tuple[Mart, ...]
    due: tuple[Mart, ...]
    held_back: tuple[str, ...]
    retired: frozenset[str]
    persons: str

    def sql(self, file: str, **parts: object) -> str:
        """The SQL of a file beside this module."""
        return read_sql(SQL / f"{file}.sql", **{part: str(sql) for part, sql in parts.items()})

    def run(self, file: str, **parts: object) -> None:
        """Execute the SQL of a file beside this module."""
        self.ledger.db.execute(self.sql(file, **parts))

    def due_of(self, kind: str) -> list[Mart]:
        """The due marts of a kind."""
        return [mart for mart in self.due if mart.model.kind == kind]


def read_basis(
    ledger: Ledger,
    warehouse: Warehouse,
    models: Sequence[HeapModel],
    *,
    target: str | None,
    as_of: datetime | None = None,
    ignore_cadence: bool = False,
    replay: bool = False,
) -> Basis:
    """Check the marts and lay what the ledger knows into temp tables.

    Raises:
        CounterfoilError: a mart that Heap would regret, or nothing says who may be told.
    """
    marts = tuple(
        Mart(number, model, *warehouse.mart(model)) for number, model in enumerate(models)
    )
    check_types(list(models), {mart.model.name: mart.columns for mart in marts})
    for mart in marts:
        if len(mart.columns) > MAX_PROPERTIES:
            raise CounterfoilError(
                f"{mart.model.name} has {len(mart.columns)} properties and {MAX_PROPERTIES} "
                "fit: remove some columns."
            )
    judged_at = as_of or warehouse.as_of
    ledger.db.execute(
        read_sql(
            SQL / "known.sql",
            target="null" if target is None else literal(target),
            earlier_keys=warehouse.require(
                "heap_earlier_keys", "publish_key", "earlier_publish_key"
            ),
        )
    )
    verdicts.load_forbidden(ledger, warehouse)
    waits = {
        mart.number: due
        for mart in marts
        if not ignore_cadence
        and not replay
        and (due := _due_at(ledger, target, mart.model, judged_at)) is not None
    }
    return Basis(
        ledger=ledger,
        warehouse=warehouse,
        target=target,
        as_of=judged_at,
        replay=replay,
        marts=marts,
        due=tuple(mart for mart in marts if mart.number not in waits),
        held_back=tuple(
            f"{mart.model.title}: {mart.model.cadence}, due at {waits[mart.number]}"
            for mart in marts
            if mart.number in waits
        ),
        retired=frozenset(
            gates.SEGMENT_PREFIX + suffix
            for suffix in gates.segment_versions(warehouse, judged_at)[1]
        ),
        persons=verdicts.persons(warehouse),
    )


def _due_at(
    ledger: Ledger, target: str | None, model: HeapModel, as_of: datetime
) -> datetime | None:
    """When the model's cadence will have passed; None when it has. One instant is always due."""
    hours = CADENCES[model.cadence]
    if not hours:
        return None
    last: datetime | None = ledger.value(
        "select max(as_of) from publications where target = ? and model = ?", [target, model.name]
    )
    if last is None or not last < as_of < last + timedelta(hours=hours):
        return None
    return last + timedelta(hours=hours)
