"""What everybody else would read on the sample brand, what was caused, and what was planted."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from pipelines.console import Console
from pipelines.review import sections, words
from pipelines.review.gather import gather
from pipelines.settings import Settings

SHOWN = ("cart_recovery", "replenishment")
"""One journey with a planted effect, and one without."""


@dataclass(frozen=True)
class Comparison:
    """One journey of the sample brand; rates of the experiment's primary metric.

    Attributes:
        naive_ratio: recipients who clicked over recipients who did not; None without either.
        lift, lift_low, lift_high: treatment less holdout, 95 % interval; None where refused.
        true_lift: what was planted, over everybody who was assigned.
    """

    journey_name: str
    naive_ratio: float | None
    lift: float | None
    lift_low: float | None
    lift_high: float | None
    true_lift: float

    @property
    def line(self) -> str:
        """For people."""
        caused = (
            "refused"
            if self.lift is None
            else f"{words.difference(self.lift, 'any')} "
            f"{words.interval(self.lift_low, self.lift_high, 'any')}"
        )
        return (
            f"  {self.journey_name}: clickers order {words.times(self.naive_ratio)} as often as "
            f"other recipients; caused {caused}; planted {words.difference(self.true_lift, 'any')}."
        )


def compare(settings: Settings, truth: Path) -> list[Comparison]:
    """The naive reading of the weekly page, its lift, and the truth of the two journeys.

    Args:
        settings: where the warehouse is.
        truth: the folder that `counterfoil sample` wrote beside the export.
    """
    effects = json.loads((truth / "true_effects.json").read_text(encoding="utf-8"))
    found = {
        row["experiment"]["experiment_key"]: row
        for row in sections.contrasts(gather(settings))["rows"]
    }
    return [
        Comparison(
            journey_name=found[key]["title"],
            naive_ratio=found[key]["naive_ratio"],
            lift=found[key]["decision"]["lift"],
            lift_low=found[key]["decision"]["lift_low"],
            lift_high=found[key]["decision"]["lift_high"],
            true_lift=effects[key]["true_itt"],
        )
        for key in SHOWN
        if key in found
    ]


def show(comparisons: list[Comparison], console: Console) -> None:
    """Print the journeys side by side."""
    console.record(comparison=[asdict(comparison) for comparison in comparisons])
    console.line("The sample knows its truth. Ordering within the window, side by side:")
    for comparison in comparisons:
        console.line(comparison.line)
