"""The figures of the weekly page by name, each with the statement that gives it.

A part of a name is percent-encoded, and `~` where the key is null.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import yaml

from pipelines.built.tables import Record, Tables, read_as_of
from pipelines.errors import CounterfoilError
from pipelines.quantiles import normal_quantile
from pipelines.review import words
from pipelines.review.basis import read_vars
from pipelines.review.families import BY_NAME, FAMILIES
from pipelines.review.family import Family
from pipelines.sql import fill

NULL = "~"
NEAR = 3
NUMBERS = ("BIGINT", "INTEGER", "HUGEINT", "DOUBLE", "DECIMAL")
RECOUNTS = Path(__file__).parent / "recounts"
"""Statements that count a row again: `{name}` stands for a relation, `$name` for a value."""


@dataclass(frozen=True)
class Figure:
    """One figure: a column of one row of a family."""

    family: Family
    key: tuple[Any, ...]
    column: str

    @property
    def name(self) -> str:
        """What it is called; stable as long as its keys are."""
        return _name(self.family, self.key, self.column)

    def statement(self, tables: Tables) -> str:
        """SQL that gives its value in one row and one column, for any DuckDB client."""
        return f"select {self.column}\nfrom {self._from(tables)}"

    def row(self, tables: Tables) -> Record:
        """The whole row it stands in."""
        return read_row(tables, f"select * from {self._from(tables)}")

    def beneath(self, tables: Tables, row: Record) -> str | None:
        """SQL that counts it again from the rows beneath; None when these are not built."""
        family, known = self.family, places(tables)
        if not family.rests_on or not tables.has(*family.rests_on):
            return None
        if not family.recount:
            rows = _rows_of(known[family.rests_on[0]], *self.conditions(), family.rows)
            return f"select count(*) as count_rows\nfrom {rows}"
        values = {**_declared(), "as_of": read_as_of(tables), **row}
        people = _recount(family.people) if family.people else ""
        text = (
            _recount(family.recount)
            .replace("{people}", people)
            .replace("{more}", _more(family.more))
        )
        return re.sub(r"\$(\w+)", lambda name: literal(values[name[1]]), fill(text, known))

    def conditions(self, columns: Iterable[str] | None = None) -> list[str]:
        """Its key as SQL conditions; only those on `columns` when these are given."""
        wanted = set(self.family.keys if columns is None else columns)
        return [
            f"{name} is null" if value is None else f"{name} = {literal(value)}"
            for name, value in zip(self.family.keys, self.key, strict=True)
            if name in wanted
        ]

    def _from(self, tables: Tables) -> str:
        return _rows_of(places(tables)[self.family.source], *self.conditions(), self.family.where)


def name_of(family: str, row: Mapping[str, Any], column: str) -> str:
    """What a figure is called that stands in a row of the page's JSON."""
    known = BY_NAME[family]
    return _name(known, tuple(row[key] for key in known.keys), column)


def figures(tables: Tables) -> list[Figure]:
    """Every figure of what is built, in the order of the registry."""
    return [figure for family in FAMILIES for figure in _of_family(tables, family)]


def find(tables: Tables, name: str) -> Figure:
    """The figure of that name.

    Raises:
        CounterfoilError: there is none; the sentence says which are near.
    """
    asked = "/".join(_encoded(unquote(part), part) for part in name.strip().split("/"))
    family = BY_NAME.get(asked.split("/")[0])
    for figure in _of_family(tables, family) if family else []:
        if figure.name == asked:
            return figure
    found = near(asked, [figure.name for figure in figures(tables)])
    said = f"near are {', '.join(found)}; " if found else ""
    narrowed = f" {found[0].split('/')[0]}" if found else ""
    raise CounterfoilError(
        f"No figure is called “{words.clean(name)}”: {said}"
        f"`counterfoil explain number --list{narrowed}` lists them."
    )


def near(asked: str, names: Sequence[str]) -> list[str]:
    """At most three names that somebody may have meant: longer ones, then alike ones."""
    parts = [part for part in asked.split("/") if part]
    longer = [name for name in names if asked and name.startswith(asked)]
    holding = [name for name in names if parts and all(part in name.split("/") for part in parts)]
    if longer or holding:
        return list(dict.fromkeys([*longer, *holding]))[:NEAR]
    family = difflib.get_close_matches(parts[0] if parts else "", list(BY_NAME), 1, 0.75)
    among = [name for name in names if family and name.split("/")[0] == family[0]] or names
    return difflib.get_close_matches(asked, among, NEAR, 0.5)


@cache
def _declared() -> Record:
    """The vars, and the quantiles of the normal distribution that those of planning stand for."""
    declared = read_vars()
    return {
        **declared,
        "z_alpha": normal_quantile(1 - declared["experiments_alpha"] / 2),
        "z_power": normal_quantile(declared["review_power"]),
    }


@cache
def _more(name: str) -> str:
    """Columns of one family alone, where several are counted alike."""
    columns = yaml.safe_load((RECOUNTS / "columns.yml").read_text(encoding="utf-8"))
    return str(columns[name]) if name else ""


def _recount(name: str) -> str:
    return (RECOUNTS / f"{name}.sql").read_text(encoding="utf-8").strip()


def places(tables: Tables) -> dict[str, str]:
    """Each relation as `schema.name`, so that a statement runs wherever the file was opened."""
    return {name: ".".join(_parts(place)[1:]) for name, place in tables.places.items()}


def literal(value: Any) -> str:
    """A value as SQL; letters that could hide or turn text are written by number."""
    if value is None:
        return "null"
    if isinstance(value, datetime):
        return f"timestamp '{value}'"
    if isinstance(value, date):
        return f"date '{value}'"
    if not isinstance(value, str):
        return _plain_literal(value)
    pieces = [""]
    for letter in value:
        if letter.isprintable():
            pieces[-1] += "''" if letter == "'" else letter
        else:
            pieces += [f"chr({ord(letter)})", ""]
    said = [
        piece if place % 2 else f"'{piece}'"
        for place, piece in enumerate(pieces)
        if place % 2 or piece or len(pieces) == 1
    ]
    return said[0] if len(said) == 1 else f"({' || '.join(said)})"


def _plain_literal(value: Any) -> str:
    """A number, a flag, or a list or map of values as SQL."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, Mapping):
        pairs = (f"{literal(key)}: {literal(of)}" for key, of in value.items())
        return f"map {{{', '.join(pairs)}}}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def read_row(tables: Tables, statement: str) -> Record:
    """The first row of a statement that needs no values; empty when it has none."""
    cursor = tables.db.execute(statement)
    names = [column[0] for column in cursor.description or ()]
    row = cursor.fetchone()
    return {} if row is None else dict(zip(names, row, strict=True))


def _name(family: Family, key: Sequence[Any], column: str) -> str:
    return "/".join([family.name, *(_part(value) for value in key), column])


def _part(value: Any) -> str:
    if value is None:
        return NULL
    text = value.isoformat() if isinstance(value, date) else str(value)
    if isinstance(value, bool):
        text = text.lower()
    return _encoded(text)


def _encoded(text: str, written: str = "") -> str:
    """A part as names write it; one that was already written as null stays so."""
    return NULL if written == NULL else quote(text, safe=":=,").replace(NULL, "%7E")


def _of_family(tables: Tables, family: Family) -> list[Figure]:
    if not tables.has(family.source):
        return []
    columns = list(family.columns) or _numbers(tables, family.source, family.keys)
    if family.headline:
        columns.sort(key=lambda column: column != family.headline)
    rows = tables.db.execute(
        f"select distinct {', '.join(family.keys)} from {places(tables)[family.source]} "
        f"where {family.where or 'true'} and {family.listed} order by all"
    ).fetchall()
    return [Figure(family, tuple(row), column) for row in rows for column in columns]


def _rows_of(place: str, *conditions: str) -> str:
    told = "\n    and ".join(condition for condition in conditions if condition)
    return f"{place}\nwhere {told}"


def _numbers(tables: Tables, relation: str, keys: Sequence[str]) -> list[str]:
    described = tables.db.execute(f"describe {tables.places[relation]}").fetchall()
    return [
        name
        for name, kind, *_ in described
        if name not in keys and not name.endswith("_id") and str(kind).startswith(NUMBERS)
    ]


def _parts(place: str) -> list[str]:
    """`"a"."b"."c"` as its names, without quotes where these need none."""
    return [
        name if name.isidentifier() and name.islower() else f'"{name}"'
        for name in place[1:-1].split('"."')
    ]
