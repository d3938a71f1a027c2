"""A warehouse built from experiment cases, and what tests ask of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from experiment_cases import AS_OF, Cases
from publisher_home import mark_whole

from pipelines import registries
from pipelines.built import unit_tests
from pipelines.console import Console
from pipelines.loading import load
from pipelines.settings import Settings
from pipelines.warehouse import invoke

SELECTED = [
    "+fct_lift_history", "+fct_lift", "+fct_effect_on_the_reached", "+fct_experiment_health",
    "+fct_experiment_units", "+fct_lift_within_tiers", "+fct_message_exposures",
    "+fct_experiment_unassigned", "dim_build",
]  # fmt: skip
# The other layers' own tests have their own fixtures.
LEFT_OUT = [
    f"resource_type:test,path:{folder}"
    for folder in ("models/staging", "models/identity", "models/journeys", "models/segments",
                   "models/exposure")
]  # fmt: skip


class Built:
    """A warehouse built from cases."""

    def __init__(
        self,
        made: Cases,
        folder: Path,
        as_of: datetime = AS_OF,
        more: Callable[[Path], None] | None = None,
    ) -> None:
        self.settings = Settings(_env_file=None).model_copy(  # type: ignore[call-arg]
            update={"home": folder / "home"}
        )
        export, seeds = made.export.write(folder)
        if more is not None:  # files too large to be collected row by row
            more(export)
        console = Console(as_json=True)
        summary = load([str(export)], self.settings, console)
        assert summary.failure is None
        invoke(
            self.settings,
            registries.compose(self.settings, seeds),
            ["build", "--vars", f'{{"as_of": "{as_of.isoformat(sep=" ")}"}}', "--select", *SELECTED,
             "--exclude", *LEFT_OUT, "--indirect-selection", "cautious",
             *unit_tests.LEFT_OUT],
        )  # fmt: skip
        mark_whole(self.settings.home, as_of)  # experiments are all that these tests read

    def ask(self, query: str) -> list[dict[str, Any]]:
        with duckdb.connect(str(self.settings.warehouse_path), read_only=True) as connection:
            answer = connection.execute(query)
            names = [column[0] for column in answer.description or []]
            return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]

    def lift(
        self,
        key: str,
        metric: str = "order_rate",
        population: str = "itt",
        stratum: str = "all",
    ) -> dict[str, Any]:
        rows = self.ask(
            f"select * from marts.fct_lift where experiment_key = '{key}' and metric_key = "
            f"'{metric}' and population = '{population}' and stratum = '{stratum}'"
        )
        assert len(rows) == 1, rows
        return rows[0]

    def health(self, key: str, guardrail: str, population: str = "itt") -> dict[str, Any]:
        rows = self.ask(
            f"select * from marts.fct_experiment_health where experiment_key = '{key}' "
            f"and guardrail = '{guardrail}' and population = '{population}'"
        )
        assert len(rows) == 1, rows
        return rows[0]


def about(*values: float, tolerance: float = 1e-6) -> Any:
    return pytest.approx(list(values), abs=tolerance)


def limits(row: dict[str, Any]) -> list[float]:
    return [row["lift"], row["lift_low"], row["lift_high"]]
