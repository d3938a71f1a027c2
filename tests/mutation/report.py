"""Rates by domain and model, and the breaks that are declared to change nothing."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ledger import Entry
from mutants import DOMAINS, OTHERS, PROJECT, models

EQUIVALENT = Path(__file__).with_name("equivalent.csv")
"""Breaks that change nothing, with the reason: `mutant, model, kind, reason`."""
PAGE = PROJECT / "docs" / "mutants.md"
HEAD = (
    "# Mutants by model",
    "",
    "Written by `make mutate`, which breaks one model at a time and asks whether a test of dbt",
    "notices; how to read it, and what to do about a survivor: [testing.md](testing.md). A model",
    "that was never judged whole is not listed.",
    "",
)


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
        place = ((*DOMAINS, *OTHERS).index(entry.domain), getattr(entry, by))
        found.setdefault(place, []).append(entry.outcome == "noticed")
    return [Rate(name, sum(known), len(known)) for (_, name), known in sorted(found.items())]


def told(entry: Entry) -> str:
    """One survivor with its diff."""
    why = f" ({entry.by})" if entry.by else f" ({entry.changed} relations have other rows)"
    lines = "\n".join(f"    {line}" for line in entry.diff.splitlines())
    return f"{entry.key} {entry.path}:{entry.line} in {entry.step}, {entry.kind}{why}\n{lines}"


def recorded() -> dict[str, Rate]:
    """What the page says of each model."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    found = re.findall(r"^\| `(\w+)` \| (\d+) \| (\d+) \|", text, re.MULTILINE)
    return {name: Rate(name, int(noticed), int(count)) for name, noticed, count in found}


def lost(entries: Iterable[Entry]) -> list[Entry]:
    """Survivors in models of which the page says that every break is noticed."""
    known = recorded()
    return [
        entry
        for entry in counted(entries)
        if entry.outcome == "survived"
        and (rate := known.get(entry.model)) is not None
        and rate.noticed == rate.counted
    ]


def write_page(entries: list[Entry], whole: set[str]) -> None:
    """Put the rates of the models that were judged whole on the page, beside those it has."""
    domains = {path.stem: path.relative_to(PROJECT).parts[1] for path in models()}
    new = {rate.name: rate for rate in rates(entries, "model") if rate.name in whole}
    before = {name: rate for name, rate in recorded().items() if name not in whole}
    known = {name: rate for name, rate in (before | new).items() if name in domains}
    ordered = [known[name] for name in domains if name in known]
    by_domain = [
        Rate(domain, sum(r.noticed for r in of), sum(r.counted for r in of))
        for domain in DOMAINS
        if (of := [rate for rate in ordered if domains[rate.name] == domain])
    ]
    lines = [*HEAD, *_table("domain", by_domain), "", *_table("model", ordered), ""]
    PAGE.write_text("\n".join(lines), encoding="utf-8")


def _table(of: str, found: list[Rate]) -> list[str]:
    mark = "`" if of == "model" else ""
    return [
        f"| {of} | noticed | of | rate |",
        "| --- | ---: | ---: | ---: |",
        *(f"| {mark}{r.name}{mark} | {r.noticed} | {r.counted} | {r.share:.0%} |" for r in found),
    ]
