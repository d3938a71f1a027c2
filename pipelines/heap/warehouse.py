"""The warehouse as the publisher sees it: attached beside the ledger, and only while it reads."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import ClassVar

from pipelines.built.tables import Tables
from pipelines.errors import CounterfoilError
from pipelines.heap.ledger import Ledger
from pipelines.heap.marts import HeapModel
from pipelines.heap.payload import Column
from pipelines.settings import Settings


class Warehouse(Tables):
    """An attached warehouse of a whole build, without which nothing is told."""

    NOT_BUILT: ClassVar[str] = (
        "Nothing was built yet (warehouse.duckdb is missing), so no gate can be checked and "
        "nothing was told: run `counterfoil build` first."
    )
    UNFIT: ClassVar[str] = (
        "The gates cannot be checked against this warehouse ({problem}), so nothing is told: "
        "run `counterfoil build`."
    )

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
        types = self.types(relation)
        missing = [name for name in model.properties if name not in types]
        if missing:
            raise CounterfoilError(
                f"{model.alias} lacks {', '.join(missing)} of its contract: "
                "run `counterfoil build` again."
            )
        return relation, [Column(name, types[name]) for name in model.properties]


def attached(ledger: Ledger, settings: Settings) -> AbstractContextManager[Warehouse]:
    """The warehouse read-only beside the ledger for a block; see `Tables.attached`."""
    return Warehouse.attached(ledger.db, settings)
