"""Why a figure is what it is: its value, its statement, the rows beneath, what it is made from."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from pipelines.built.tables import Record, Tables, open_warehouse, read_as_of
from pipelines.console import Console
from pipelines.errors import CounterfoilError
from pipelines.explain.lineage import Ancestor, Lineage
from pipelines.plural import counted
from pipelines.review import numbers, words
from pipelines.review.numbers import Figure
from pipelines.settings import Settings

BESIDE = ("status", "reasons", "verdict", "basis", "interval_kind")
"""Columns told beside any figure of a row that has them: a number must be able to refuse."""

SCALES = {
    "any": "share of persons",
    "count": "events per person",
    "sum": "money per person",
}
"""Unit of a mean, by the aggregation of its metric."""

TOTALS = {"any": "persons", "count": "events", "sum": "money"}

UNITS = (
    (r"count_|planned_n", "count"),
    (r"(p|q)_value|alpha|power", "probability"),
    (r".*(hours|hours_.*)", "hours"),
    (r".*minutes.*", "minutes"),
    (r".*_days?", "days"),
    (r"net_margin.*|cost_.*|.*(order|click|exposure)_value", "money"),
    (r".*_relative.*|(naive|measured)_ratio", "ratio"),
    (r"events_per_person", "events per person"),
    (r".*rate.*|.*share.*|click_through.*|change.*|difference.*|survival.*|weight", "share"),
)
"""Unit by the name of the column; the first pattern that matches the whole name."""


@dataclass(frozen=True)
class Beneath:
    """Rows that a figure rests on.

    Attributes:
        relations: where they are, as `schema.name`.
        count_rows: how many.
        statement: SQL that counts them.
        values: what they give when counted again, by column of the figure's row.
        disagrees: those of the values that are not the row's.
    """

    relations: list[str]
    count_rows: int
    statement: str
    values: Record = field(default_factory=dict)
    disagrees: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Provenance:
    """All that is known about one figure.

    Attributes:
        unit, description: from the column's name and metric, and from its yml.
        found_at: where the page's JSON holds it.
        key: the columns that name its row.
        beside: what must be read with it.
        relations: what it is a column of: name, file and grain.
        statement: SQL that gives the value, as it was run.
        upstream: everything these are made from, nearest first, sources last.
    """

    name: str
    value: Any
    unit: str
    description: str
    as_of: datetime
    found_at: str
    key: Record
    beside: Record
    relations: list[dict[str, str]]
    statement: str
    beneath: list[Beneath]
    upstream: list[Ancestor]

    def facts(self) -> dict[str, object]:
        """What --json prints."""
        return {**asdict(self), "agrees": not self.disagreements()}

    def disagreements(self) -> list[str]:
        """Columns of its row that the rows beneath do not give."""
        return [column for one in self.beneath for column in one.disagrees]


def list_numbers(settings: Settings, console: Console, text: str = "") -> list[str]:
    """The names of all figures, or of those that contain `text`.

    Raises:
        CounterfoilError: nothing is built, or no name contains it.
    """
    with open_warehouse(settings) as tables:
        names = [figure.name for figure in numbers.figures(tables)]
    found = [name for name in names if text.strip() in name]
    if not found:
        raise CounterfoilError(
            f"No figure has “{words.clean(text)}” in its name: `counterfoil explain number --list` "
            "without it lists all of them."
        )
    for name in found:
        console.line(name)
    console.record(numbers=found)
    return found


def explain_number(
    settings: Settings, name: str, console: Console, *, is_whole: bool = False
) -> Provenance:
    """Value, unit, rows beneath and origin of one figure; with `is_whole` also the SQL of each.

    Raises:
        CounterfoilError: nothing is built, no figure has that name, or the rows beneath do not
            give the figure; in the last case everything was told before.
    """
    with open_warehouse(settings) as tables:
        lineage = Lineage(tables.manifest)
        told = _provenance(tables, lineage, numbers.find(tables, name))
    for line in _lines(told, is_whole=is_whole):
        console.line(line)
    console.record(**told.facts())
    wrong = told.disagreements()
    if wrong:
        raise CounterfoilError(
            f"The rows beneath {told.name} do not give its row ({', '.join(wrong)} differ): the "
            "warehouse was changed, or built in parts or with other vars: run `counterfoil build`."
        )
    return told


def _provenance(tables: Tables, lineage: Lineage, figure: Figure) -> Provenance:
    family, now = figure.family, read_as_of(tables)
    statement = figure.statement(tables)
    row = figure.row(tables)
    places = numbers.places(tables)
    beside = [name for name in (*BESIDE, *family.beside) if name in row and name != figure.column]
    return Provenance(
        name=figure.name,
        value=_plain(next(iter(numbers.read_row(tables, statement).values()), None)),
        unit=_unit(tables, figure, row),
        description=lineage.description(family.source, figure.column),
        as_of=now,
        found_at=family.at,
        key=dict(zip(family.keys, figure.key, strict=True)),
        beside={name: _plain(row[name]) for name in dict.fromkeys(beside)},
        relations=[
            {
                "relation": places[family.source],
                "path": lineage.path(family.source),
                "description": lineage.description(family.source),
            }
        ],
        statement=statement,
        beneath=_beneath(tables, lineage, figure, row),
        upstream=lineage.upstream([family.source]),
    )


def _beneath(tables: Tables, lineage: Lineage, figure: Figure, row: Record) -> list[Beneath]:
    family, places = figure.family, numbers.places(tables)
    statement = figure.beneath(tables, row)
    if statement is not None:
        again = numbers.read_row(tables, statement)
        count_rows = int(again.pop("count_rows"))
        shared = {name: _plain(value) for name, value in again.items()}
        wrong = [name for name, value in shared.items() if not _is_same(value, row[name])]
        return [Beneath([places[family.rests_on[0]]], count_rows, statement, shared, wrong)]
    found = []
    # Views read what was loaded, which need not be there: the warehouse can be read alone.
    built = {
        name for (name,) in tables.db.execute("select table_name from duckdb_tables()").fetchall()
    }
    for parent in lineage.parents(family.source):
        conditions = figure.conditions(tables.columns.get(parent, ()))
        if conditions and parent in built:
            statement = (
                f"select count(*) as count_rows\nfrom {places[parent]}\n"
                f"where {f'{chr(10)}    and '.join(conditions)}"
            )
            count_rows = int(numbers.read_row(tables, statement)["count_rows"])
            found.append(Beneath([places[parent]], count_rows, statement))
    return found


def _is_same(counted: Any, told: Any) -> bool:
    """Whether two numbers are equal but for the order of summing; two absent ones are."""
    if counted is None or told is None:
        return counted is None and told is None
    return math.isclose(float(counted), float(told), rel_tol=1e-9, abs_tol=1e-12)


def _unit(tables: Tables, figure: Figure, row: Record) -> str:
    metric = row.get("metric_key")
    is_mean = re.match(r"mean_|lift(_low|_high)?$|effect|standard_error", figure.column)
    is_total = figure.column.startswith("incremental")
    if metric is not None and (is_mean or is_total):
        aggregation = tables.value(
            "select aggregation from {metrics} where metric_key = $1", [metric], reads=["metrics"]
        )
        return (SCALES if is_mean else TOTALS).get(str(aggregation), "")
    known = (unit for pattern, unit in UNITS if re.fullmatch(f"({pattern}).*", figure.column))
    return next(known, "")


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value


def _lines(told: Provenance, *, is_whole: bool) -> list[str]:
    """What is printed; SQL and the models beneath, one by one, only where all was asked for."""
    unit = f" ({told.unit})" if told.unit and told.value is not None else ""
    lines = [f"{told.name} is {_said(told.value)}{unit}, as of {told.as_of} UTC"]
    if told.description:
        lines.append(f"  {told.description}")
    beside = {name: value for name, value in told.beside.items() if value != ""}
    if beside:
        lines.append(f"  read with {_pairs(beside)}")
    for relation in told.relations:
        path = f" ({relation['path']})" if relation["path"] else ""
        lines.append(f"  {relation['relation']}{path}: {relation['description'] or 'not known'}")
    lines.append(f"  in the JSON of the page under {told.found_at}")
    if is_whole:
        lines += ["SQL for warehouse.duckdb:", *_indented(told.statement)]
    for one in told.beneath:
        rows = counted(one.count_rows, "row")
        lines.append(f"Beneath: {rows} of {', '.join(one.relations)}{_agrees(one)}")
        if is_whole:
            lines += _indented(one.statement)
    if not told.upstream:
        return [*lines, "What it rests on is not known: run `counterfoil build`."]
    rests_on = f"Rests on {_kinds(told.upstream)}"
    if is_whole:
        return [*lines, f"{rests_on}, nearest first:", *_levels(told.upstream)]
    return [
        *lines,
        f"{rests_on}.",
        "The SQL that gives it and counts it again, and each model beneath: --verbose, or --json.",
    ]


def _agrees(one: Beneath) -> str:
    if not one.values:
        return ""
    said = "agree" if not one.disagrees else f"do NOT agree in {', '.join(one.disagrees)}"
    return f"; counted again they {said}: {_pairs(one.values)}"


def _pairs(values: Record) -> str:
    return ", ".join(f"{name} {_said(value)}" for name, value in values.items())


def _said(value: Any) -> str:
    """A value to be read: six digits say enough, `--json` has them all."""
    if value is None:
        return "not shown"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _indented(statement: str) -> list[str]:
    return [f"  {line}".rstrip() for line in f"{statement};".splitlines()]


def _kinds(upstream: Sequence[Ancestor]) -> str:
    counts = Counter(one.kind for one in upstream)
    kinds = ("model", "registry", "source")
    return ", ".join(counted(counts[kind], kind) for kind in kinds if counts[kind])


def _levels(upstream: Sequence[Ancestor]) -> list[str]:
    """One line per step away, then one for the sources."""
    levels = sorted({one.level for one in upstream if one.kind != "source"})
    lines = [
        f"  {level}: "
        + ", ".join(one.name for one in upstream if one.kind != "source" and one.level == level)
        for level in levels
    ]
    sources = [one.name for one in upstream if one.kind == "source"]
    return [*lines, f"  sources: {', '.join(sources)}"] if sources else lines
