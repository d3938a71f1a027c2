"""What changed between two pages, and which input, definition or late row caused it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipelines.built.tables import open_warehouse
from pipelines.console import Console
from pipelines.explain.causes import TIME, Cause, causes_between
from pipelines.explain.lineage import Lineage
from pipelines.explain.pages import PageData, read_page
from pipelines.review.families import BY_NAME
from pipelines.review.family import Family
from pipelines.settings import Settings

FIRST, FIRST_OF_FAMILY = 25, 5
"""Figures that are printed without --all: what decides first, then the past that was rewritten."""

UNKNOWN = "nothing that the pages know of"


@dataclass(frozen=True)
class Change:
    """A figure that is otherwise.

    Attributes:
        before, after: None where it is not shown, or not there.
        causes: labels of what can have changed it; by the lineage, nothing else can.
    """

    name: str
    before: Any
    after: Any
    causes: tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """Two pages held against each other."""

    before: datetime
    after: datetime
    causes: tuple[Cause, ...]
    changes: tuple[Change, ...]

    def facts(self) -> dict[str, object]:
        """What --json prints."""
        return {
            "before": self.before,
            "after": self.after,
            "causes": [
                {"kind": one.kind, "name": one.name, "sentence": one.sentence}
                for one in self.causes
            ],
            "changes": [vars(one) for one in self.changes],
        }


def explain_difference(
    settings: Settings, before: str, after: str, console: Console, *, is_whole: bool = False
) -> Difference:
    """What is otherwise in the page `after`, and why.

    Args:
        before, after: each a page's JSON file, or the instant that it was made for.
        is_whole: print every figure that changed.

    Raises:
        UsageError: one of them is no page.
        CounterfoilError: nothing is built: the lineage is that of the last build.
    """
    first, second = read_page(settings, before), read_page(settings, after)
    with open_warehouse(settings) as tables:
        lineage = Lineage(tables.manifest)
        causes = causes_between(first, second, tables, lineage)
    found = Difference(
        first.as_of, second.as_of, tuple(causes), tuple(_changes(first, second, causes, lineage))
    )
    for line in _lines(found, is_whole):
        console.line(line)
    console.record(difference=found.facts())
    return found


def _changes(
    first: PageData, second: PageData, causes: Sequence[Cause], lineage: Lineage
) -> list[Change]:
    was, now = first.figures(), second.figures()
    by_source: dict[str, tuple[str, ...]] = {}
    changes = []
    for name in dict.fromkeys([*was, *now]):
        family = (now.get(name) or was[name])[0]
        old, new = (figures.get(name, (family, None))[1] for figures in (was, now))
        if _is_same(old, new) or (name not in was and _stands_for_an_instant(family)):
            continue
        if family.source not in by_source:
            by_source[family.source] = _relevant(family, causes, lineage)
        labels = by_source[family.source]
        if _stands_for_an_instant(family):  # the same instant, told twice
            labels = tuple(label for label in labels if label != TIME and "new rows" not in label)
        changes.append(Change(name, old, new, labels))
    return sorted(changes, key=_weight)


def _stands_for_an_instant(family: Family) -> bool:
    """Whether its figures tell of an instant that passed: only what came later bends them."""
    return "as_of" in family.keys


def _relevant(family: Family, causes: Sequence[Cause], lineage: Lineage) -> tuple[str, ...]:
    """The causes that the relation of a family stands on."""
    made_from = {one.name for one in lineage.upstream([family.source])} | {family.source}
    is_known = len(made_from) > 1
    return tuple(
        cause.label
        for cause in causes
        if cause.touches is None or not is_known or cause.touches & made_from
    )


def _is_same(old: Any, new: Any) -> bool:
    if isinstance(old, int | float) and isinstance(new, int | float):
        return math.isclose(old, new, rel_tol=1e-9, abs_tol=1e-12)
    return bool(old == new)


def _weight(change: Change) -> tuple[int, int, str]:
    """What decides first, then the past that was rewritten, then the rest by name."""
    family = _family(change)
    column = change.name.rsplit("/", 1)[-1]
    order = 0 if family.name == "lift" else 1 if _stands_for_an_instant(family) else 2
    return order, 0 if column in ("status", "verdict", family.headline) else 1, change.name


def _family(change: Change) -> Family:
    return BY_NAME[change.name.split("/")[0]]


def _first(changes: Sequence[Change]) -> list[Change]:
    """Some of each family, in their order."""
    told: Counter[str] = Counter()
    found = []
    for change in changes:
        told[_family(change).name] += 1
        if told[_family(change).name] <= FIRST_OF_FAMILY:
            found.append(change)
    return found[:FIRST]


def _lines(found: Difference, is_whole: bool) -> list[str]:
    lines = [f"From the page of {found.before} to the page of {found.after} (UTC)"]
    if not found.changes:
        return [*lines, "No figure changed."]
    lines.append("What is otherwise beneath:" if found.causes else f"Beneath: {UNKNOWN}.")
    lines += [f"  {one.label}: {one.sentence}" for one in found.causes]
    families = Counter(_family(change).name for change in found.changes)
    counted = ", ".join(f"{name} {count}" for name, count in families.most_common())
    lines.append(f"{len(found.changes):,} figures changed ({counted}):")
    shown = list(found.changes) if is_whole else _first(found.changes)
    for change in shown:
        why = "; ".join(change.causes) or UNKNOWN
        lines.append(f"  {change.name}: {_said(change.before)} → {_said(change.after)}  [{why}]")
    if len(shown) < len(found.changes):
        lines.append(f"  and {len(found.changes) - len(shown):,} more: --all, or --json")
    return lines


def _said(value: Any) -> str:
    if value is None:
        return "not shown"
    return f"{value:.6g}" if isinstance(value, float) else str(value) or "none"
