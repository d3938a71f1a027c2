"""Who stands behind an identifier: everything the three databases call the same person."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import duckdb

from pipelines.errors import CounterfoilError
from pipelines.heap.ledger import Ledger
from pipelines.heap.payload import literal, quoted
from pipelines.heap.tombstones import IDENTIFIER_TYPES, salted_hash
from pipelines.settings import Settings

MIN_DISTINCTIVE = 10
"""Shortest identifier without `@` that is searched inside texts; a shorter one may be any number."""

Identifier = tuple[str, str]
"""(kind, identifier): kinds are those of `map_identifiers`, and person_id, delivery_id, journey."""


@dataclass
class Person:
    """A person's identifiers; `shared` ones belong to somebody else too and find no rows."""

    subject: str
    identifiers: set[Identifier] = field(default_factory=set)
    shared: set[Identifier] = field(default_factory=set)

    def add(self, kind: str, value: object) -> None:
        """Note an identifier (trimmed; e-mail addresses in lower case), unless it is empty."""
        text = "" if value is None else str(value).strip(" ")
        if text:
            self.identifiers.add((kind, text.lower() if kind == "email" else text))

    def values(self, kind: str) -> list[str]:
        """The person's identifiers of one kind, in order."""
        return sorted(value for k, value in self.identifiers if k == kind)

    def tombstones(self) -> list[Identifier]:
        """What must never come back."""
        return [i for i in self.identifiers if i[0] in IDENTIFIER_TYPES]

    def distinctive(self) -> list[str]:
        """Identifiers, in lower case, that stand for nobody and nothing else wherever they occur."""
        found = {
            value.lower()
            for kind, value in self.identifiers
            if kind in (*IDENTIFIER_TYPES, "person_id")
            and ("@" in value or len(value) >= MIN_DISTINCTIVE)
        }
        return sorted(found)


def find_person(settings: Settings, ledger: Ledger, identifier: str) -> Person:
    """The person (or, across workspaces, the persons) who holds an identifier now.

    Raises:
        CounterfoilError: nobody does; the sentence says whether they were erased before.
    """
    text = identifier.strip()
    person = Person(text.lower())
    with _attached(settings) as db:
        _from_warehouse(db, person, text)
        _from_raw(db, person, text)
        _share(db, person)
        _trail(db, person)
    _from_ledger(ledger, person, text)
    if not person.identifiers:
        erased = any(
            ledger.value(
                "select count(*) from tombstones where salted_hash = ?",
                [salted_hash(ledger.salt, kind, text)],
            )
            for kind in IDENTIFIER_TYPES
        )
        raise CounterfoilError(
            "This person was erased before; nothing is left to erase."
            if erased
            else "Nobody is known under this identifier: use a person_id, cio_id, customer_id, "
            "e-mail address or Heap identity."
        )
    return person


class _Databases:
    """Raw and warehouse, attached read-only, with relations found by name."""

    def __init__(self, db: duckdb.DuckDBPyConnection) -> None:
        self.db = db
        self.relations: dict[tuple[str, str], str] = {}
        self.columns: dict[str, set[str]] = {}
        for catalog, schema, table, column in db.execute(
            "select database_name, schema_name, table_name, column_name from duckdb_columns() "
            "inner join duckdb_tables() using (database_name, schema_name, table_name) "
            "where database_name in ('raw', 'warehouse') order by all"
        ).fetchall():
            name = f"{catalog}.{quoted(schema)}.{quoted(table)}"
            self.relations.setdefault((catalog, f"{schema}.{table}"), name)
            self.relations.setdefault((catalog, table), name)
            self.columns.setdefault(name, set()).add(column)

    def find(self, catalog: str, table: str, *needs: str) -> str | None:
        """A table that has all the columns needed, or None."""
        name = self.relations.get((catalog, table))
        return name if name and set(needs) <= self.columns[name] else None

    def rows(self, sql: str, values: list[object] | None = None) -> list[tuple[object, ...]]:
        """All rows of a query."""
        found: list[tuple[object, ...]] = self.db.execute(sql, values or []).fetchall()
        return found


@contextmanager
def _attached(settings: Settings) -> Iterator[_Databases]:
    db = duckdb.connect()
    try:
        for name, path in (("raw", settings.raw_path), ("warehouse", settings.warehouse_path)):
            if path.exists():
                db.execute(f"attach {literal(str(path))} as {name} (read_only)")
        yield _Databases(db)
    except duckdb.IOException as error:
        raise CounterfoilError(
            "The databases are in use by another process: wait until it has finished."
        ) from error
    finally:
        db.close()


def _from_warehouse(db: _Databases, person: Person, text: str) -> None:
    """Who holds the identifier now, and everything they ever held."""
    identifiers = db.find("warehouse", "map_identifiers", "identifier", "person_id", "valid_to")
    persons = db.find("warehouse", "dim_persons", "person_id")
    if identifiers:
        for (found,) in db.rows(
            f"select distinct person_id from {identifiers} where valid_to is null "
            "and (identifier = ? or (identifier_type = 'email' and identifier = lower(?)))",
            [text, text],
        ):
            person.add("person_id", found)
    if persons:
        columns = db.columns[persons] & {"person_id", "customer_id", "email", "heap_identity"}
        tests = " or ".join(f"lower({column}) = lower(?)" for column in sorted(columns))
        for (found,) in db.rows(
            f"select person_id from {persons} where {tests}", [text] * len(columns)
        ):
            person.add("person_id", found)
    ids = person.values("person_id")
    if identifiers:
        for kind, value in db.rows(
            f"select identifier_type, identifier from {identifiers} "
            "where person_id in (select unnest(?::varchar[]))",
            [ids],
        ):
            person.add(str(kind), value)
    if persons:
        for column in sorted(db.columns[persons] & {"customer_id", "email", "heap_identity"}):
            for (value,) in db.rows(
                f"select {column} from {persons} where person_id in (select unnest(?::varchar[]))",
                [ids],
            ):
                person.add(column, value)


def _from_raw(db: _Databases, person: Person, text: str) -> None:
    """Profiles in the exports: found by the identifier itself, or by a profile found so far."""
    people = db.find(
        "raw", "customerio.people", "internal_customer_id", "customer_id", "email_addr"
    )
    if people is None:
        return
    direct = [] if person.identifiers else [text]
    found = db.rows(
        f"select distinct internal_customer_id, customer_id, email_addr from {people} "
        "where internal_customer_id in (select unnest(?::varchar[])) "
        "or internal_customer_id in (select unnest(?::varchar[])) "
        "or customer_id in (select unnest(?::varchar[])) "
        "or lower(trim(email_addr)) in (select lower(unnest(?::varchar[])))",
        [person.values("cio_id"), direct, direct, direct],
    )
    for cio_id, customer_id, email in found:
        person.add("cio_id", cio_id)
        person.add("customer_id", customer_id)
        person.add("email", email)


def _from_ledger(ledger: Ledger, person: Person, text: str) -> None:
    """Identities Heap was told: those found so far, and the identifier itself if it is one."""
    candidates = {value for kind, value in person.identifiers if kind in IDENTIFIER_TYPES} | {text}
    shared = {value for _, value in person.shared}
    for (identity,) in ledger.rows(
        """
        select distinct heap_identity from (
            select heap_identity from receipts union all select heap_identity from property_state
            union all select heap_identity from intents)
        where heap_identity in (select unnest(?::varchar[]))
            or lower(heap_identity) in (select unnest(?::varchar[]))
        """,
        [sorted(candidates - shared), sorted(v for v in candidates - shared if "@" in v)],
    ):
        person.add("heap_identity", identity)


def _share(db: _Databases, person: Person) -> None:
    """Set identifiers aside that somebody else holds, or held, too."""
    identifiers = db.find("warehouse", "map_identifiers", "identifier", "person_id")
    if identifiers is None:
        return
    ids = person.values("person_id")
    for kind, value in db.rows(
        f"select distinct identifier_type, identifier from {identifiers} "
        "where identifier_type <> 'cio_id' and person_id not in (select unnest(?::varchar[])) "
        "and identifier in (select unnest(?::varchar[]))",
        [ids, sorted(value for _, value in person.identifiers)],
    ):
        pair = (str(kind), str(value))
        if pair in person.identifiers:
            person.identifiers.discard(pair)
            person.shared.add(pair)


def _trail(db: _Databases, person: Person) -> None:
    """Deliveries, journeys and Heap users of the person: their rows name nobody, but are theirs."""
    for kind, table, column, by, owner in (
        ("delivery_id", "customerio.deliveries", "delivery_id", "internal_customer_id", "cio_id"),
        ("journey", "customerio.deliveries", "subject_id", "internal_customer_id", "cio_id"),
        ("journey", "customerio.subjects", "subject_name", "internal_customer_id", "cio_id"),
        ("heap_user_id", "heap_connect.users", "user_id", "identity", "heap_identity"),
    ):
        relation = db.find("raw", table, column, by)
        if relation:
            for (value,) in db.rows(
                f"select distinct {column} from {relation} "
                f"where cast({by} as varchar) in (select unnest(?::varchar[]))",
                [person.values(owner)],
            ):
                person.add(kind, value)
