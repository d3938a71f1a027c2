"""Whose a row is, and what of it goes: once, for whoever knows the erased in whatever way.

A row is the person's when a column that says whose it is holds one of their identifiers. An e-mail
address in a row that names somebody else by an id is a mention: it goes, and the row stays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from pipelines.built.quoting import quoted
from pipelines.erasure.columns import Table
from pipelines.erasure.elements import KINDS, each_text
from pipelines.erasure.traces import ERASED, Mentions, normalised_sql
from pipelines.loading.identifiers import OWNERS, Owner

ROWS_AT_ONCE = 200_000


class Known(Protocol):
    """A way of knowing the erased: by their identifiers, or by salted hashes of them."""

    shared: str
    """A relation (kind, identifier) of identifiers that say nothing; empty when there is none."""

    def is_mine(self, table: Table, kind: Owner, place: str) -> str:
        """SQL that is true where a place holds an identifier of theirs; empty: nothing can tell."""

    def also_mine(self, table: Table) -> list[str]:
        """SQL for rows that are theirs by more than one column."""

    def candidates(self, table: Table, column: str) -> str:
        """SQL that is true at least where a text may mention them; empty: nothing to look for."""

    def mentions(self, table: Table, column: str) -> Mentions:
        """How a text is read."""


class Cleaner:
    """Finds, deletes and counts rows and mentions of the erased in one open database.

    Args:
        people: the tables of raw.duckdb by name, which tell who else there is.
        catalog: where they are, with a dot; empty for the connection's own database.
    """

    def __init__(
        self, db: Any, known: Known, people: Mapping[str, Table], catalog: str = ""
    ) -> None:
        self.db = db
        self.known = known
        self.people = people
        self.catalog = catalog

    def clean(self, table: Table) -> tuple[int, Counter[str]]:
        """Delete their rows, and take them out of other people's: rows, and cells by column.

        People and deliveries come first: whoever is left there is somebody else.
        """
        removed, changed = 0, Counter[str]()
        if condition := self.is_theirs(table):
            removed = self._count(f"delete from {table.sql} where {condition}")
        for column, condition in self.emptied(table):
            changed[column] += self._count(
                f"update {table.sql} set {quoted(column)} = null where {condition}"
            )
        for column, lists in table.elements().items():
            changed[column] += self._without_elements(table, column, lists)
        for column in table.texts():
            if candidates := self.known.candidates(table, column):
                changed[column] += self._unmention(table, column, candidates)
        return removed, +changed

    def is_theirs(self, table: Table) -> str:
        """SQL that is true for their rows of a table; empty when no column can tell."""
        tests = [
            self.known.is_mine(table, kind, place)
            for kind in OWNERS
            if kind != "email"
            for place in table.owners(kind)
        ]
        if table.is_heap_connect:
            tests += [
                self.known.is_mine(table, "email", place) for place in table.owners("heap_identity")
            ]
        tests += self.known.also_mine(table)
        addresses = [self.known.is_mine(table, "email", place) for place in table.owners("email")]
        if addresses:
            is_mine = " or ".join(addresses)
            is_others = self._somebody_else(table)
            tests.append(f"(({is_mine}) and not ({is_others}))" if is_others else f"({is_mine})")
        return "\n    or ".join(filter(None, tests))

    def theirs(self, table: Table, ids: Iterable[str]) -> set[str]:
        """Which of some ids, whose kind nobody says, are identifiers of theirs."""
        tests = [self.known.is_mine(table, kind, "id") for kind in KINDS]
        found = self.db.execute(
            "select id from (select unnest(?::varchar[]) as id) where "
            + " or ".join(filter(None, tests)),
            [sorted(ids)],
        ).fetchall()
        return {value for (value,) in found}

    def _without_elements(self, table: Table, column: str, lists: Sequence[str]) -> int:
        changes = list(
            each_text(
                cells(self.db, table, column, f"{quoted(column)} is not null"),
                lists,
                partial(self.theirs, table),
            )
        )
        for rowid, kept in changes:
            _set_cell(self.db, table, column, rowid, kept)
        return len(changes)

    def emptied(self, table: Table) -> list[tuple[str, str]]:
        """Columns that lose a whole identifier, and SQL for the rows where they do."""
        told = [
            (column, self.known.is_mine(table, kind, quoted(column)))
            for column, kind in table.others()
        ]
        return [(column, test) for column, test in told if test]

    def _somebody_else(self, table: Table) -> str:
        """SQL that is true for rows that name somebody else by an id."""
        tests = [is_somebody_else(table, self.people, self.catalog, self.known.shared)]
        if "person_id" in table.columns and (
            is_mine := self.known.is_mine(table, "person_id", "person_id")
        ):
            tests.append(f"person_id is not null and not {is_mine}")
        return " or ".join(f"({test})" for test in tests if test)

    def _unmention(self, table: Table, column: str, candidates: str) -> int:
        mentions = self.known.mentions(table, column)
        changes = [
            (rowid, kept)
            for rowid, value in cells(self.db, table, column, candidates)
            if (kept := mentions.without(value)) != value
        ]
        for rowid, kept in changes:
            _set_cell(self.db, table, column, rowid, kept)
        return len(changes)

    def _count(self, statement: str) -> int:
        return int(self.db.execute(statement).fetchall()[0][0])


def is_somebody_else(
    table: Table, held: Mapping[str, Table], catalog: str = "", shared: str = ""
) -> str:
    """SQL that is true for rows that name, by an id, a profile that is in raw.duckdb.

    To be asked once the rows of the erased are gone from `customerio.people` and
    `customerio.deliveries`: whoever is left there is somebody else. An id in the relation `shared`
    (kind, identifier) says nothing about whose row it is. Empty where no column tells.
    """
    if (table.schema, table.name) in (("customerio", "people"), ("customerio", "activities")):
        return ""  # a profile's own row; a merge, which is about both
    known_by: tuple[tuple[Owner, str, str], ...] = (
        ("cio_id", "customerio.people", "internal_customer_id"),
        ("customer_id", "customerio.people", "customer_id"),
        ("heap_identity", "customerio.people", "customer_id"),
        ("delivery_id", "customerio.deliveries", "delivery_id"),
    )
    tests = []
    for kind, source, column in known_by:
        people = held.get(source)
        if people is None or column not in people.columns or people == table:
            continue
        for place in table.owners(kind):
            value = normalised_sql(kind, place)
            test = (
                f"coalesce({value} in (select {normalised_sql(kind, column)} "
                f"from {catalog}{people.sql}), false)"
            )
            if shared:
                test += (
                    f" and coalesce({value} not in "
                    f"(select identifier from {shared} where kind = '{kind}'), true)"
                )
            tests.append(f"({test})")
    return " or ".join(tests)


def cells(db: Any, table: Table, column: str, candidates: str) -> Iterator[tuple[int, Any]]:
    """Row numbers and values of a column's candidate rows, a bounded number of rows at a time.

    Rows that lie in files have no number: each is 0 there, and the connection must not be used
    for anything else meanwhile.
    """
    if table.is_view:
        found = db.execute(
            f"select 0 as number, {quoted(column)} from {table.sql} where {candidates}"
        )
        while rows := found.fetchmany(ROWS_AT_ONCE):
            yield from rows
        return
    start = 0
    # by what numbers there are: rows of the transaction's own are numbered from far above
    following = f"select min(rowid) from {table.sql} where rowid >= ?"
    while (first := db.execute(following, [start]).fetchall()[0][0]) is not None:
        start = first + ROWS_AT_ONCE
        yield from db.execute(
            f"select rowid, {quoted(column)} from {table.sql} "
            f"where rowid between {first} and {start - 1} and ({candidates})"
        ).fetchall()


def _set_cell(db: Any, table: Table, column: str, rowid: int, value: Any) -> None:
    """Write one cell; where it may not be empty, a word says that something was erased."""
    statement = f"update {table.sql} set {quoted(column)} = ? where rowid = ?"
    if value is None and _must_have_value(db, table, column):
        value = ERASED
    db.execute(statement, [value, rowid])


def _must_have_value(db: Any, table: Table, column: str) -> bool:
    found = db.execute(
        "select count(*) from duckdb_columns() where database_name = current_database() "
        "and schema_name = ? and table_name = ? and column_name = ? and not is_nullable",
        [table.schema, table.name, column],
    ).fetchall()
    return bool(found[0][0])
