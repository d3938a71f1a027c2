"""Opens what the checks read, and runs the implementation's or one journey's."""

from __future__ import annotations

from pipelines.built.tables import (
    attach_ledger,
    open_warehouse,
    read_as_of,
    read_manifest,
)
from pipelines.checklist import implementation, one_journey
from pipelines.checklist.lines import Checklist
from pipelines.checklist.sources import Sources
from pipelines.heap.gates import read_declared
from pipelines.home import private
from pipelines.settings import Settings


def measure(settings: Settings, journey: str | None = None) -> Checklist:
    """Measure the implementation checklist, or validate one journey.

    Args:
        journey: a journey's id; None for the implementation.

    Raises:
        CounterfoilError: nothing was built, or the warehouse or ledger is being written.
        UsageError: no such journey.
    """
    with open_warehouse(settings) as tables, private(settings.home):
        sources = Sources(
            tables=tables,
            ledger=attach_ledger(tables, settings),
            manifest=read_manifest(settings, tables),
            as_of=read_as_of(tables),
            declared=read_declared(),
        )
        if journey is None:
            return Checklist("the implementation", tuple(implementation.lines(sources)))
        return one_journey.checklist(sources, journey)
