"""`identity sample`: a sheet of people to look at by hand, and what the looking says."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipelines.blanks import BLANKS
from pipelines.built.tables import open_warehouse
from pipelines.console import Console
from pipelines.errors import CounterfoilError, UsageError
from pipelines.home import private
from pipelines.identity import sheets
from pipelines.settings import Settings

SMALLEST, LARGEST = 20, 50
# Of the sheet's own limits: they judge the sample, no experiment.
LIMITS_ALPHA = 0.05
KIND = "a sheet of `counterfoil identity sample`"
VERDICTS = {"yes": True, "y": True, "right": True, "no": False, "n": False, "wrong": False}

SHEET = Path(__file__).with_name("sample.sql")
COLUMNS = [
    "stratum",
    "person_id",
    "workspace_id",
    "customer_id",
    "email",
    "heap_identity",
    "match_status",
    "count_profiles",
    "evidence",
    "identifiers",
    "verdict",
]


@dataclass(frozen=True)
class Sheet:
    """A sheet that was written: where, and how many people of each stratum."""

    path: Path
    count_persons: int
    strata: dict[str, int]


@dataclass(frozen=True)
class Agreement:
    """What the verdicts say: the share of right ones with its 95 % Wilson limits."""

    count_right: int
    count_judged: int
    count_open: int
    agreement: float
    low: float
    high: float
    by_stratum: dict[str, tuple[int, int]]

    def facts(self) -> dict[str, object]:
        """What --json prints."""
        return asdict(self)


def draw_sheet(
    settings: Settings, console: Console, *, out: Path | None = None, size: int = 30, seed: int = 1
) -> Sheet:
    """Write a stratified sheet with an empty verdict column (`yes`: this is one person, rightly).

    Args:
        out: the CSV to write; default `identity_sample.csv` in the state folder.
        size: 20 to 50 people, as many of each stratum as there are, in turn.
        seed: another seed draws other people.

    Raises:
        UsageError: the size is out of range.
        CounterfoilError: nothing is built, or the sheet holds verdicts already.
    """
    if not SMALLEST <= size <= LARGEST:
        raise UsageError(f"A spot check is of {SMALLEST} to {LARGEST} people: give --size so.")
    with open_warehouse(settings) as tables:
        rows = tables.ask(SHEET, {"seed": str(seed), "size": size})
    if not rows:
        raise CounterfoilError("There are no persons to look at: load an export and build first.")
    path = out or settings.home / "identity_sample.csv"
    if path.is_file() and any(
        (row.get("verdict") or "").strip(BLANKS) for row in sheets.read(path)
    ):
        raise CounterfoilError(
            f"{path.name} holds verdicts already: read it back with `counterfoil identity sample "
            "FILE`, or choose another --out."
        )
    with private(settings.home):
        sheets.write(path, COLUMNS, ({**row, "verdict": ""} for row in rows), KIND)
    strata: dict[str, int] = {}
    for row in rows:
        strata[row["stratum"]] = strata.get(row["stratum"], 0) + 1
    sheet = Sheet(path, len(rows), dict(sorted(strata.items())))
    told = ", ".join(f"{count} {name}" for name, count in sheet.strata.items())
    console.record(identity_sample={**asdict(sheet), "path": str(path)})
    console.line(f"Wrote {len(rows)} people ({told}) to {path}: fill in verdict with yes or no.")
    return sheet


def read_sheet(path: Path, console: Console) -> Agreement:
    """Read a sheet back and say how often the verdict was yes.

    Raises:
        UsageError: no such file, or a verdict that is neither yes nor no.
        CounterfoilError: no verdict is filled in.
    """
    from pipelines.experiments.inference import wilson

    by_stratum: dict[str, tuple[int, int]] = {}
    count_open = 0
    for line, row in enumerate(sheets.read(path), start=2):
        said = (row.get("verdict") or "").strip(BLANKS).lower()
        if not said:
            count_open += 1
            continue
        if said not in VERDICTS:
            raise UsageError(f"{path.name} line {line}: the verdict should be yes or no.")
        right, judged = by_stratum.get(row.get("stratum", ""), (0, 0))
        by_stratum[row.get("stratum", "")] = (right + VERDICTS[said], judged + 1)
    count_right = sum(right for right, _ in by_stratum.values())
    count_judged = sum(judged for _, judged in by_stratum.values())
    if not count_judged:
        raise CounterfoilError(f"{path.name} holds no verdicts yet: fill in yes or no and retry.")
    low, high = wilson(count_right, count_judged, LIMITS_ALPHA)
    found = Agreement(
        count_right=count_right,
        count_judged=count_judged,
        count_open=count_open,
        agreement=count_right / count_judged,
        low=low,
        high=high,
        by_stratum=dict(sorted(by_stratum.items())),
    )
    console.record(identity_sample=found.facts())
    console.line(
        f"{count_right} of {count_judged} judged right: {found.agreement:.0%}"
        f" ({100 * (1 - LIMITS_ALPHA):.0f} % limits {low:.0%} to {high:.0%}); {count_open} open."
    )
    for name, (right, judged) in found.by_stratum.items():
        console.line(f"  {name}: {right} of {judged}")
    console.line(f"For spot_checks.csv: ,{_day(path)},{count_judged},{count_right},<who judged>")
    return found


def _day(path: Path) -> str:
    """The day on which the sheet was last written, in UTC."""
    return f"{datetime.fromtimestamp(path.stat().st_mtime, UTC):%Y-%m-%d}"
