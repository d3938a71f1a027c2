"""`identity check`: does the match rate reach what was declared, and who does not meet."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from pipelines.built.tables import open_warehouse
from pipelines.console import Console
from pipelines.errors import CounterfoilError
from pipelines.settings import Settings

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Population:
    """Persons who do not meet Heap in one way."""

    workspace_id: int
    population: str
    count_persons: int


@dataclass(frozen=True)
class WorkspaceRate:
    """One workspace's rates; `judged_rate` is the one held against `minimum_rate`."""

    workspace_id: int
    count_persons: int
    count_identifiable: int
    identifiable_rate: float | None
    count_matched: int | None
    match_rate: float | None
    minimum_rate: float | None
    is_met: bool

    @property
    def judged_rate(self) -> float | None:
        """The match rate, or without Heap Connect the identifiable rate."""
        return self.identifiable_rate if self.match_rate is None else self.match_rate

    def text(self) -> str:
        """One line for people."""
        if self.match_rate is None:
            said = f"{_percent(self.identifiable_rate)} identifiable; Heap was not asked"
        else:
            said = (
                f"{_percent(self.match_rate)} of {self.count_identifiable:,} identifiable persons"
                " are known in Heap by a session of their own"
            )
        minimum = (
            "no minimum is declared"
            if self.minimum_rate is None
            else f"{_percent(self.minimum_rate)} asked"
        )
        return f"Workspace {self.workspace_id}: {said} ({minimum})."


@dataclass(frozen=True)
class Check:
    """What `identity check` found.

    Attributes:
        as_of: the build it judges; None where there are no persons.
        workspaces: rates by workspace.
        populations: who does not meet, largest first.
        arms: rates of each experiment's arms.
    """

    as_of: datetime | None
    workspaces: tuple[WorkspaceRate, ...]
    populations: tuple[Population, ...]
    arms: tuple[dict[str, object], ...]

    @property
    def failure(self) -> CounterfoilError | None:
        """The error to raise once the check is printed, or None when every workspace passes."""
        short = [workspace for workspace in self.workspaces if not workspace.is_met]
        if not short:
            return None
        worst = min(short, key=lambda workspace: workspace.judged_rate or 0.0)
        who = [p for p in self.populations if p.workspace_id == worst.workspace_id]
        named = "; ".join(f"{p.population} ({p.count_persons:,})" for p in who[:3])
        return CounterfoilError(
            f"Identity does not meet in workspace {worst.workspace_id}: "
            f"{_percent(worst.judged_rate)} against {_percent(worst.minimum_rate)} asked. "
            f"Who does not meet: {named or 'nobody named'}. "
            "Agree on one identifier for both tools, or lower the threshold with a reason."
        )

    def facts(self) -> dict[str, object]:
        """What --json prints."""
        return asdict(self)


def _percent(rate: float | None) -> str:
    return "nobody" if rate is None else f"{rate:.1%}"


def check(settings: Settings, console: Console) -> Check:
    """Judge the built match rates against the var `identity_minimum_rate`.

    Prints one line a workspace, and the populations that do not meet. Raise the result's `failure`
    afterwards: it is not raised here, so that --json has the facts.

    Raises:
        CounterfoilError: nothing is built yet.
    """
    with open_warehouse(settings) as tables:
        rates = tables.ask(FOLDER / "rates.sql")
        populations = tables.ask(FOLDER / "populations.sql")
        arms = tables.ask(FOLDER / "rates_by_arm.sql")
    as_of = rates[0]["as_of"] if rates else None
    found = Check(
        as_of=as_of,
        workspaces=tuple(
            WorkspaceRate(**{name: value for name, value in row.items() if name != "as_of"})
            for row in rates
        ),
        populations=tuple(Population(**row) for row in populations),
        arms=tuple(arms),
    )
    for workspace in sorted(found.workspaces, key=lambda one: one.is_met):
        who = [p for p in found.populations if p.workspace_id == workspace.workspace_id]
        lines = [f"  {p.count_persons:,} {p.population}" for p in who]
        judged = "" if workspace.is_met else "TOO FEW. "
        console.table(
            ("persons", "why they are not found in Heap"),
            [[f"{p.count_persons:,}", p.population] for p in who],
            lines=[workspace.text(), *lines],
            title=judged + workspace.text(),
        )
    console.record(identity_check=found.facts())
    return found
