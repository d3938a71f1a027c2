"""What can have changed a page: definitions, registries, rows that came late or went, and time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pipelines.built.tables import Record, Tables
from pipelines.explain.lineage import Lineage
from pipelines.explain.pages import PageData
from pipelines.review import words

TIME = "time"
LISTED = "load_files"
"""Where what was loaded is listed: figures about the loading itself stand on it."""
MOST_DAYS = 5
MOST_FILES = 3


@dataclass(frozen=True)
class Cause:
    """One thing that is otherwise in the second page.

    Attributes:
        kind: time, model, macro, var, registry, late rows, lost rows or new rows.
        name: the model, macro, var, registry or family.
        sentence: what is otherwise.
        touches: the relations that it changes directly; None for all that stand on the clock.
    """

    kind: str
    name: str
    sentence: str
    touches: frozenset[str] | None = field(default=None, repr=False)

    @property
    def label(self) -> str:
        """How a figure names it: `late rows of behavior`, `model fct_lift`."""
        if self.kind == TIME:
            return TIME
        return (
            f"{self.kind} of {self.name}"
            if self.kind.endswith("rows")
            else (f"{self.kind} {self.name}")
        )


def causes_between(
    before: PageData, after: PageData, tables: Tables, lineage: Lineage
) -> list[Cause]:
    """Everything that is otherwise in `after`: definitions first, then rows, then time."""
    found = [*_definitions(before.basis, after.basis, lineage), *_rows(before, after, tables)]
    if before.as_of != after.as_of:
        said = f"judged at {after.as_of} instead of {before.as_of}: weeks and windows moved"
        found.append(Cause(TIME, TIME, said))
    return found


def _definitions(before: Record, after: Record, lineage: Lineage) -> Iterator[Cause]:
    for name, said in _otherwise(before, after, "models"):
        path = f" ({lineage.path(name)})" if lineage.path(name) else ""
        yield Cause("model", name, f"its SQL {said}{path}", frozenset([name]))
    for name, said in _otherwise(before, after, "macros"):
        yield Cause("macro", name, f"its SQL {said}", lineage.users_of_macro(name))
    values = before.get("vars", {}), after.get("vars", {})
    for name, said in _otherwise(before, after, "vars"):
        was, now = (one.get(name, "nothing") for one in values)
        yield Cause("var", name, f"{said}: {was} before, {now} now", lineage.users_of_var(name))
    for name, said in _otherwise(before, after, "registries"):
        yield Cause("registry", name, f"{name}.csv {said}", frozenset([name]))


def _otherwise(before: Record, after: Record, part: str) -> Iterator[tuple[str, str]]:
    was, now = before.get(part, {}), after.get(part, {})
    if not was or not now:  # a page of an older version, or of a build without a manifest
        return
    for name in sorted({**was, **now}):
        if was.get(name) != now.get(name):
            yield name, "is new" if name not in was else "is gone" if name not in now else "changed"


def _rows(before: PageData, after: PageData, tables: Tables) -> Iterator[Cause]:
    was = {_key(row): row for row in before.basis.get("rows", [])}
    now = {_key(row): row for row in after.basis.get("rows", [])}
    if not was or not now:
        return
    is_same = before.as_of == after.as_of
    for key in sorted({**was, **now}, key=str):
        old, new = was.get(key, _nothing(now.get(key))), now.get(key, _nothing(was.get(key)))
        fresh = 0 if is_same else _fresh(new, before.as_of)
        fresh_then = 0 if is_same else _fresh(old, before.as_of)
        late = new["count_rows"] - fresh - (old["count_rows"] - fresh_then)
        days = _days(old, new, before, is_same)
        name = str(key[0]) + (f" of {key[1]}" if key[1] is not None else "")
        touches = frozenset([str(new["relation"]), LISTED])
        files = _files(before, after, tables, str(key[0]))
        if late > 0:
            said = f"{late:,} rows came that had happened before {before.as_of}{days}{files}"
            yield Cause("late rows", name, said, touches)
        if late < 0:
            said = f"{-late:,} rows are no longer there that were before{days}"
            yield Cause("lost rows", name, said, touches)
        if fresh > fresh_then:
            said = f"{fresh - fresh_then:,} rows happened since{'' if late > 0 else files}"
            yield Cause("new rows", name, said, touches)


def _key(row: Record) -> tuple[Any, Any]:
    return row["family"], row["workspace_id"]


def _nothing(of: Record | None) -> Record:
    return {**(of or {"relation": ""}), "count_rows": 0, "days": {}}


def _fresh(row: Record, since: datetime) -> int:
    """Rows of the day of the first page and of those after it."""
    return sum(count for day, count in row["days"].items() if day >= since.date().isoformat())


def _days(old: Record, new: Record, before: PageData, is_same: bool) -> str:
    """The days whose count is otherwise, the largest difference first."""
    last = before.as_of.date().isoformat()
    shared = [day for day in {**old["days"], **new["days"]} if is_same or day < last]
    first = max(min(old["days"], default=""), min(new["days"], default=""))
    moved = {
        day: new["days"].get(day, 0) - old["days"].get(day, 0) for day in shared if day >= first
    }
    told = sorted(((abs(n), day, n) for day, n in moved.items() if n), reverse=True)
    if not told:
        return ""
    more = f" and {len(told) - MOST_DAYS} days more" if len(told) > MOST_DAYS else ""
    said = ", ".join(f"{day} {n:+,}" for _, day, n in told[:MOST_DAYS])
    return f" ({said}{more})"


def _files(before: PageData, after: PageData, tables: Tables, family: str) -> str:
    """The files of a family that were loaded between the two pages, as the warehouse knows them."""
    since, until = (page.basis.get("loaded", {}).get(family) for page in (before, after))
    rows = tables.rows(
        "select file_name from {load_files} where family = $1 and loaded_at <= $3 "
        "and loaded_at > coalesce($2, timestamp '1970-01-01') order by loaded_at, file_name",
        [family, _instant(since), _instant(until)],
        reads=["load_files"],
    )
    if not rows:
        return ""
    said = ", ".join(words.clean(row["file_name"]) for row in rows[:MOST_FILES])
    more = f" and {len(rows) - MOST_FILES} more" if len(rows) > MOST_FILES else ""
    return f", in {re.sub(r'[`]', '', said)}{more}"


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
