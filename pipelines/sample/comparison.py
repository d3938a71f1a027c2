"""What everybody else would read on the sample brand, what was caused, and what was planted."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from pipelines.console import Console
from pipelines.review import words
from pipelines.settings import Settings

SHOWN = ("cart_recovery", "replenishment")
"""One journey with a planted effect, and one without."""

_READ = """
with
units as (
    select person_id, y from marts.fct_experiment_units
    where experiment_key = $experiment and metric_key = 'order_rate'
        and is_mature and is_exposed_real
),
clicks as (
    select
        exposures.person_id,
        max(exposures.journey_name) as journey_name,
        bool_or(exposures.human_clicked_at is not null) as is_clicker
    from marts.fct_message_exposures as exposures
    inner join registries.experiments as experiments
        on exposures.workspace_id = experiments.workspace_id
            and exposures.journey_id = cast(experiments.campaign_id as varchar)
    where experiments.experiment_key = $experiment and exposures.exposure_kind = 'real'
    group by exposures.person_id
),
naive as (
    select
        max(journey_name) as journey_name,
        avg(y) filter (where is_clicker) / nullif(avg(y) filter (where not is_clicker), 0) as ratio
    from units inner join clicks using (person_id)
)
select naive.journey_name, naive.ratio, lift.lift, lift.lift_low, lift.lift_high
from naive, marts.fct_lift as lift
where lift.experiment_key = $experiment and lift.metric_key = 'order_rate'
    and lift.population = 'itt' and lift.stratum = 'all'
"""


@dataclass(frozen=True)
class Comparison:
    """One journey of the sample brand; rates of ordering within the experiment's window.

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
            f"other recipients; caused {caused}; planted "
            f"{words.difference(self.true_lift, 'any')}."
        )


def compare(settings: Settings, truth: Path) -> list[Comparison]:
    """The naive contrast, the lift and the truth of the two journeys, from the built warehouse.

    Args:
        settings: where the warehouse is.
        truth: the folder that `counterfoil sample` wrote beside the export.
    """
    import duckdb

    effects = json.loads((truth / "true_effects.json").read_text(encoding="utf-8"))
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as warehouse:
        return [
            Comparison(*[*row, effects[key]["true_itt"]])
            for key in SHOWN
            for row in warehouse.execute(_READ, {"experiment": key}).fetchall()
        ]


def show(comparisons: list[Comparison], console: Console) -> None:
    """Print the journeys side by side."""
    console.record(comparison=[asdict(comparison) for comparison in comparisons])
    console.line("The sample knows its truth. Ordering within the window, side by side:")
    for comparison in comparisons:
        console.line(comparison.line)
