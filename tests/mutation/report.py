"""Rates by domain and model, and the breaks that are declared to change nothing."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ledger import Entry
from mutants import DOMAINS, PROJECT

EQUIVALENT = Path(__file__).with_name("equivalent.csv")
"""Breaks that change nothing, with the reason: `mutant, model, kind, reason`."""
PAGE = PROJECT / "docs" / "mutants.md"


@dataclass(frozen=True)
class Rate:
    """How many mutants count, and how many of them were noticed."""

    name: str
    noticed: int
    counted: int

    @property
    def share(self) -> float:
        return self.noticed / self.counted if self.counted else 1.0

    def __str__(self) -> str:
        return f"{self.name}: {self.noticed} of {self.counted} noticed ({self.share:.0%})"


def equivalents() -> dict[str, dict[str, str]]:
    """What is declared, by mutant."""
    with EQUIVALENT.open(encoding="utf-8", newline="") as file:
        return {row["mutant"]: row for row in csv.DictReader(file)}


def counted(entries: Iterable[Entry]) -> list[Entry]:
    """Without those that could not be run, and those that are declared to change nothing."""
    declared = equivalents()
    return [entry for entry in entries if entry.outcome != "dead" and entry.key not in declared]


def rates(entries: Iterable[Entry], by: str) -> list[Rate]:
    """By `domain` or `model`, in the order of the domains."""
    found: dict[tuple[int, str], list[bool]] = {}
    for entry in counted(entries):
        place = (DOMAINS.index(entry.domain), getattr(entry, by))
        found.setdefault(place, []).append(entry.outcome == "noticed")
    return [Rate(name, sum(known), len(known)) for (_, name), known in sorted(found.items())]


def told(entry: Entry) -> str:
    """One survivor with its diff."""
    why = f" ({entry.by})" if entry.by else f" ({entry.changed} relations have other rows)"
    lines = "\n".join(f"    {line}" for line in entry.diff.splitlines())
    return f"{entry.key} {entry.path}:{entry.line} in {entry.step}, {entry.kind}{why}\n{lines}"


def page(entries: list[Entry]) -> str:
    """The rates as a page of the docs."""
    lines = [
        "# Mutants by model",
        "",
        "Written by `make mutate`, which breaks one model at a time and asks whether a dbt test",
        "notices: how to read it and what to do about a survivor is in [testing.md](testing.md).",
        "",
        "| domain | noticed | of | rate |",
        "| --- | ---: | ---: | ---: |",
        *(
            f"| {r.name} | {r.noticed} | {r.counted} | {r.share:.0%} |"
            for r in rates(entries, "domain")
        ),
        "",
        "| model | noticed | of | rate |",
        "| --- | ---: | ---: | ---: |",
        *(
            f"| `{r.name}` | {r.noticed} | {r.counted} | {r.share:.0%} |"
            for r in rates(entries, "model")
        ),
        "",
    ]
    return "\n".join(lines)
