"""How much trouble a run of publishing bears, as the vars of the build declare it."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.errors import CounterfoilError
from pipelines.heap.warehouse import Warehouse

UNCERTAIN = "uncertain answers in a row"
PERCENT = "refused rows in a hundred"
SMALL = "refused rows of a small run"


@dataclass(frozen=True)
class Bounds:
    """What a run bears before it stops; what nobody has declared is not borne.

    Attributes:
        uncertain_answers: with so many answers in a row that are not Heap's it stops.
        refused_percent: more refused rows in a hundred stop it,
        refused_rows: once they are more than so many.
    """

    uncertain_answers: int = 1
    refused_percent: int = 0
    refused_rows: int = 0

    def are_passed(self, count_refused: int, count_answered: int) -> bool:
        """Whether too many of the rows that Heap has answered in a run are refused."""
        is_large = 100 * count_refused > self.refused_percent * count_answered
        return is_large and count_refused > self.refused_rows


def read_bounds(warehouse: Warehouse) -> Bounds:
    """What the build declares.

    Raises:
        CounterfoilError: it was built by a version that declared less.
    """
    relation = warehouse.require("heap_budget", "budget", "most")
    found = dict(warehouse.db.execute(f"select budget, most from {relation}").fetchall())
    try:
        return Bounds(int(found[UNCERTAIN]), int(found[PERCENT]), int(found[SMALL]))
    except (KeyError, TypeError) as error:
        raise CounterfoilError(
            "The build does not say how many uncertain answers and refused rows a run bears: run "
            "`counterfoil build`."
        ) from error
