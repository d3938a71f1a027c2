"""What each column holds of people, and the tables that have them.

Input families say it themselves (`pipelines/loading/sources`). A name means the same everywhere
else, Heap Connect's apart; names that only warehouse and ledger have stand in `columns.csv`. Whose
a row is, where somebody may be mentioned, and what the proof searches is derived from this.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from pipelines.built.quoting import quoted
from pipelines.erasure.elements import elements_of
from pipelines.loading import rawfiles
from pipelines.loading.families import Column
from pipelines.loading.identifiers import OWNERS, Holds, Owner
from pipelines.loading.raw import LOADED_FILES, REJECTED_ROWS
from pipelines.loading.sources import FAMILIES, heap_connect
from pipelines.sql import read_sql

LISTED = Path(__file__).with_name("columns.csv")
"""Names of columns that no input family has, and what they hold; `other cio_id` is a cio_id of
somebody whom the row is not about."""

RELATIONS = Path(__file__).with_name("relations.sql")

PROPERTIES = ("heap_user_properties", "cio_")
"""The mart whose columns are names of segments and arms, and how they begin."""

_KINDS: dict[Holds, tuple[Owner, ...]] = {
    **{kind: (kind,) for kind in OWNERS},
    "node": ("profile", "heap_user_id"),
}


def _listed() -> dict[str, str]:
    with LISTED.open(encoding="utf-8", newline="") as rows:
        return {row["column"]: row["holds"] for row in csv.DictReader(rows)}


def _by_name(columns: Iterable[Column]) -> dict[str, Holds]:
    return {column.name: column.holds for column in columns}


_BY_TABLE = {
    (family.dataset, family.table): _by_name((*family.declared, *family.own)) for family in FAMILIES
}
_OF_HEAP = _by_name(column for family in heap_connect.FAMILIES for column in family.declared)
_NAMES: dict[str, Holds] = {
    **_by_name((*LOADED_FILES.declared, *REJECTED_ROWS.declared, *rawfiles.RAW_FILES.declared)),
    **_by_name(
        column
        for family in FAMILIES
        if family.dataset != heap_connect.DATASET
        for column in (*family.declared, *family.own)
    ),
    **{name: cast(Holds, holds.split()[0]) for name, holds in _listed().items()},
}
_OTHERS = {
    name: cast(Owner, holds.split()[1])
    for name, holds in _listed().items()
    if holds.startswith("other ")
}
_PLACES = {
    column.name: column.places for family in FAMILIES for column in family.declared if column.places
}
_ELEMENTS = {(family.dataset, family.table): elements_of(family) for family in FAMILIES}

COLUMNS: dict[str, tuple[str, ...]] = {
    kind: tuple(name for name, holds in _NAMES.items() if kind in _KINDS.get(holds, ()))
    for kind in OWNERS
}
"""Names of columns that say whose a row is, by the kind of identifier they hold."""

FILE_COLUMNS: dict[str, set[Owner]] = {}
"""What columns of export files say of people, by name, whatever family they are of."""
for _family in FAMILIES:
    for _column in _family.declared:
        if _column.holds in _KINDS:
            FILE_COLUMNS.setdefault(_column.name, set()).update(_KINDS[_column.holds])


@dataclass(frozen=True)
class Table:
    """A table with rows of its own: its name, its columns and their types.

    `is_view` where its rows lie in files (see `loading.rawfiles`). `place` is SQL for some of its
    rows, where not all of them are meant.
    """

    schema: str
    name: str
    columns: Mapping[str, str]
    is_view: bool = field(default=False, compare=False)
    place: str = field(default="", compare=False)

    @property
    def sql(self) -> str:
        """SQL for its rows: the quoted name, or the place."""
        return self.place or f"{quoted(self.schema)}.{quoted(self.name)}"

    @property
    def is_heap_connect(self) -> bool:
        """Whether Heap's own names for its users apply; elsewhere they are other systems' ids."""
        return self.schema == heap_connect.DATASET or self.name.startswith("stg_heap__")

    def holds(self, column: str) -> Holds | None:
        """What a column says that it holds; None when nobody says it."""
        declared = _BY_TABLE.get((self.schema, self.name), {})
        if column in declared:
            return declared[column]
        if column in _NAMES:
            return _NAMES[column]
        if self.is_heap_connect:
            return _OF_HEAP.get(column)
        is_property = self.name == PROPERTIES[0] and column.startswith(PROPERTIES[1])
        return "none" if is_property else None

    def owners(self, kind: Owner) -> list[str]:
        """SQL for every place of the table that says by an identifier of this kind whose it is."""
        found = [
            quoted(name)
            for name in self.columns
            if kind in _KINDS.get(self.holds(name) or "none", ())
        ]
        for column, places in _PLACES.items():
            if is_text(self.columns.get(column, "")):
                found += [
                    f"json_extract_string(try_cast({column} as json), '{path}')"
                    for path in places.get(kind, ())
                ]
        return found

    def elements(self) -> dict[str, tuple[str, ...]]:
        """Lists in JSON whose elements are each about one person, by column."""
        return _ELEMENTS.get((self.schema, self.name), {})

    def others(self) -> list[tuple[str, Owner]]:
        """Columns (and kinds) for somebody whom the row is not about."""
        return [(name, kind) for name, kind in _OTHERS.items() if name in self.columns]

    @property
    def has_any(self) -> bool:
        """Whether rows say the kind of their identifier beside it."""
        return "identifier_type" in self.columns and any(
            self.holds(name) == "any" for name in self.columns
        )

    def texts(self) -> list[str]:
        """Columns in which somebody may be mentioned: texts and lists of texts, e-mail too."""
        return [
            name
            for name, data_type in self.columns.items()
            if is_text(data_type) and not self._is_compared(name) and not self.is_bookkeeping(name)
        ]

    def _is_compared(self, name: str) -> bool:
        """Whether the column holds an identifier that is compared whole, and no address."""
        holds = self.holds(name)
        if holds == "any":
            return self.has_any
        return holds != "email" and bool(_KINDS.get(holds or "none"))

    def may_hold_ids(self, name: str) -> bool:
        """Whether a person's id may stand in a text: not where ids of other things stand."""
        holds = self.holds(name)
        return not name.endswith("_id") if holds is None else holds not in ("thing", "other")

    def names(self) -> list[str]:
        """Text columns whose values are words of their own: events, attributes, campaigns."""
        return [
            name
            for name, data_type in self.columns.items()
            if data_type == "VARCHAR" and self.holds(name) == "none"
        ]

    def is_bookkeeping(self, name: str) -> bool:
        """Whether the column says which files were loaded."""
        return self.holds(name) == "file" or self.name.startswith("_dlt")


def is_text(data_type: str) -> bool:
    """Whether a column of this type holds text, or lists of it."""
    return data_type.rstrip("[]") in ("VARCHAR", "JSON")


def tables(db: Any, *, schemas: tuple[str, ...] = (), catalog: str = "") -> list[Table]:
    """Every table of the connection's own database, or another; people first, then deliveries.

    Whoever is still in these two once their own rows are gone is somebody else. A view is a table
    here where its rows lie in files, so that no table holds them.
    """
    found: dict[tuple[str, str], dict[str, str]] = {}
    views = set()
    for schema, table, column, data_type, is_view in db.execute(
        read_sql(RELATIONS, listing=rawfiles.RAW_FILES.table), [catalog]
    ).fetchall():
        found.setdefault((schema, table), {})[column] = data_type
        if is_view:
            views.add((schema, table))
    first = {("customerio", "people"): 0, ("customerio", "deliveries"): 1}
    return [
        Table(schema, table, columns, is_view=(schema, table) in views)
        for (schema, table), columns in sorted(
            found.items(), key=lambda item: (first.get(item[0], 2), item[0])
        )
        # salted hashes only
        if "tombstones" not in table and (not schemas or schema in schemas)
    ]


@dataclass(frozen=True)
class Trail:
    """A column of an input family whose values are of one person each: deliveries, journeys, users.

    `owner` is the kind of identifier that the column `by` of the same row holds.
    """

    kind: Owner
    schema: str
    table: str
    column: str
    by: str
    owner: Owner


def trails() -> list[Trail]:
    """Where rows that name a person tell their deliveries, journeys and Heap users."""
    followed: tuple[tuple[Owner, Owner], ...] = (
        ("delivery_id", "cio_id"),
        ("journey", "cio_id"),
        ("heap_user_id", "heap_identity"),
    )
    found = []
    for kind, owner in followed:
        for family in FAMILIES:
            by = [column.name for column in family.declared if column.holds == owner]
            found += [
                Trail(kind, family.dataset, family.table, column.name, by[0], owner)
                for column in family.declared
                if column.holds == kind and by
            ]
    return found


def named_in_families(*kinds: Owner) -> list[tuple[Owner, str, str]]:
    """(kind, schema.table, column) wherever an input family names people by one of these kinds."""
    return [
        (kind, f"{family.dataset}.{family.table}", column.name)
        for family in FAMILIES
        for column in family.declared
        for kind in kinds
        if column.holds == kind
    ]
