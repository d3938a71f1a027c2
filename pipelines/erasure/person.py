"""Who stands behind an identifier: everything the three databases call the same person."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import duckdb

from pipelines.erasure.traces import BLANKS, Mentions, lowered, normalised, normalised_sql
from pipelines.errors import CounterfoilError, UsageError
from pipelines.heap.ledger import Ledger
from pipelines.heap.payload import literal, quoted
from pipelines.loading.tombstones import IDENTIFIER_TYPES, SHORTEST_ID, TOLD_TYPES, is_erased
from pipelines.settings import PROJECT_DIR, Settings

ASKED_TYPES = ("person_id", "cio_id", "customer_id", "email", "heap_identity")
"""Kinds of identifiers that a person may be asked for by."""

Identifier = tuple[str, str]
"""(kind, identifier): kinds are those of `map_identifiers`, and person_id, profile, delivery_id,
journey."""


@dataclass
class Person:
    """A person's identifiers, and what keeps them from being taken for somebody else.

    Attributes:
        subject: the identifier that was asked for; an address in lower case.
        identifiers: what belongs to nobody else.
        profiles: (workspace, cio_id) of the person; the workspace is empty where nothing tells it.
        shared: identifiers that somebody else holds or held too, or that mean nobody: they find
            no rows and never become tombstones.
        bound: cio_ids that another workspace gives to somebody else.
        elsewhere: identifiers that somebody else holds, as this or another kind (addresses in
            lower case): not looked for in texts.
    """

    subject: str
    identifiers: set[Identifier] = field(default_factory=set)
    profiles: set[tuple[str, str]] = field(default_factory=set)
    shared: set[Identifier] = field(default_factory=set)
    bound: set[str] = field(default_factory=set)
    elsewhere: set[str] = field(default_factory=set)

    def add(self, kind: str, value: object) -> None:
        """Note an identifier (trimmed; e-mail addresses in lower case), unless it is empty."""
        text = "" if value is None else normalised(kind, str(value))
        if text and (kind, text) not in self.shared:
            self.identifiers.add((kind, text))

    def add_profile(self, workspace: object, cio_id: object) -> None:
        """Note a profile of the person."""
        text = normalised("cio_id", "" if cio_id is None else str(cio_id))
        if text:
            place = "" if workspace is None else str(workspace)
            self.profiles.add((place, text))
            self.identifiers.add(("cio_id", text))
            if place:
                self.identifiers.add(("profile", f"{place}:{text}"))

    def share(self, kind: str, value: str) -> None:
        """Set an identifier aside that is not the person's alone."""
        if (kind, value) in self.identifiers:
            self.identifiers.discard((kind, value))
            self.shared.add((kind, value))

    def values(self, kind: str) -> list[str]:
        """The person's identifiers of one kind, in order."""
        return sorted(value for k, value in self.identifiers if k == kind)

    def tombstones(self) -> list[Identifier]:
        """What must never come back."""
        return [
            (kind, value)
            for kind, value in self.identifiers
            if kind in (*IDENTIFIER_TYPES, "heap_user_id")
            and not (kind == "cio_id" and value in self.bound)
        ]

    def addresses(self) -> set[str]:
        """E-mail addresses, in lower case, that are looked for in texts."""
        found = {
            lowered(value)
            for kind, value in self.identifiers
            if kind in ("email", "heap_identity", "customer_id") and "@" in value
        }
        return found - self.elsewhere

    def ids(self) -> set[str]:
        """Other identifiers that are looked for in texts: none that may be any number or word."""
        return {
            value
            for kind, value in self.identifiers
            if kind in (*IDENTIFIER_TYPES, "person_id")
            and "@" not in value
            and len(value) >= SHORTEST_ID
            and any(letter.isalpha() for letter in value)
            and value not in self.bound
            and value not in self.elsewhere
        }

    def distinctive(self) -> list[str]:
        """All that is looked for in texts, in lower case."""
        return sorted({*self.addresses(), *(lowered(value) for value in self.ids())})

    def mentions(self, *, with_ids: bool = True) -> Mentions:
        """How texts are read for addresses, and for other identifiers."""
        addresses, ids = self.addresses(), self.ids() if with_ids else set()
        return Mentions(addresses.__contains__, ids.__contains__)

    def count_in_columns_only(self) -> int:
        """Identifiers that only the columns of their own kind are searched for."""
        searched = {*self.addresses(), *self.ids()}
        return sum(
            kind in IDENTIFIER_TYPES and _spelling(value) not in searched
            for kind, value in self.identifiers
        )

    def is_named(self, identifier: str) -> bool:
        """Whether somebody who asks by this identifier asks for this person."""
        return _spelling(identifier.strip(BLANKS)) == self.subject or any(
            (kind, normalised(kind, identifier)) in self.identifiers for kind in ASKED_TYPES
        )


def _spelling(identifier: str) -> str:
    """How an identifier is compared across kinds: an address in lower case, an id as it is."""
    return lowered(identifier) if "@" in identifier else identifier


def find_person(settings: Settings, ledger: Ledger, identifier: str) -> Person:
    """The person (or, across workspaces, the persons) who holds an identifier now.

    Raises:
        UsageError: the identifier is empty.
        CounterfoilError: nobody holds it, and whether they were erased before; or several people
            of one workspace do.
    """
    text = identifier.strip(BLANKS)
    if not text:
        raise UsageError("Say whom to erase: any identifier of the person.")
    person = Person(_spelling(text))
    with _attached(settings) as db:
        if any(lowered(person.subject) in _placeholders(db).get(kind, ()) for kind in TOLD_TYPES):
            raise CounterfoilError(
                "This identifier stands for nobody (see identity_rules.csv): erase the person by "
                "their person_id or cio_id."
            )
        _ask_warehouse(db, person, text)
        if not person.identifiers:
            _ask_profiles(db, person, text)
        if not person.identifiers:
            _ask_rows(db, person, text)
        if not person.identifiers:
            _ask_ledger(ledger, person, text)
        if not person.identifiers:
            _raise_unknown(ledger, text)
        _complete(db, ledger, person)
    return person


def refresh_person(settings: Settings, ledger: Ledger, person: Person) -> None:
    """Add what the databases tell of a person by now, and what somebody else holds by now."""
    with _attached(settings) as db:
        _complete(db, ledger, person)


def _raise_unknown(ledger: Ledger, text: str) -> None:
    erased = any(is_erased(ledger, kind, text) for kind in IDENTIFIER_TYPES)
    raise CounterfoilError(
        "This person was erased before; nothing is left to erase."
        if erased
        else "Nobody is known under this identifier: use a person_id, cio_id, customer_id, "
        "e-mail address or Heap identity."
    )


def _several(count: int) -> CounterfoilError:
    return CounterfoilError(
        f"{count} people hold this identifier, and an erasure takes one: erase each of them by "
        "their person_id or cio_id (where nothing was built yet, build first)."
    )


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

    def people(self) -> str | None:
        """The profiles that the exports show, every version of them."""
        return self.find(
            "raw", "customerio.people", "internal_customer_id", "customer_id", "email_addr"
        )

    def workspace(self, relation: str) -> str:
        """SQL for the workspace of a row, as text; empty where nothing tells it."""
        if "workspace_id" in self.columns[relation]:
            return "coalesce(cast(workspace_id as varchar), '')"
        return "''"


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


_CIO = normalised_sql("cio_id", "internal_customer_id")
_CUSTOMER = normalised_sql("customer_id", "customer_id")
_EMAIL = normalised_sql("email", "email_addr")
_LISTED = "(select unnest(?::varchar[]))"


# -- whom an identifier names ---------------------------------------------------------------------


def _ask_warehouse(db: _Databases, person: Person, text: str) -> None:
    """Who holds the identifier now, as identity was resolved by the last build."""
    found: set[tuple[str, str, str]] = set()  # kind, workspace, person_id
    identifiers = db.find("warehouse", "map_identifiers", "identifier", "person_id", "valid_to")
    if identifiers:
        found |= {
            (str(kind), str(workspace), str(person_id))
            for kind, workspace, person_id in db.rows(
                f"select distinct identifier_type, {db.workspace(identifiers)}, person_id "
                f"from {identifiers} where valid_to is null and ("
                "(identifier_type in ('cio_id', 'customer_id') and identifier = ?) "
                "or (identifier_type = 'email' and identifier = lower(?)) "
                "or (identifier_type = 'heap_identity' and (identifier = ? or "
                "(contains(identifier, '@') and lower(identifier) = lower(?)))))",
                [text] * 4,
            )
        }
    persons = db.find("warehouse", "dim_persons", "person_id")
    if persons:
        for kind in ("person_id", "customer_id", "email", "heap_identity"):
            if kind in db.columns[persons]:
                is_it = f"{kind} = ?"
                if kind in ("email", "heap_identity"):
                    is_it = f"{kind} = ? or (contains({kind}, '@') and lower({kind}) = lower(?))"
                found |= {
                    (kind, str(workspace), str(person_id))
                    for workspace, person_id in db.rows(
                        f"select distinct {db.workspace(persons)}, person_id from {persons} "
                        f"where {is_it}",
                        [text] * is_it.count("?"),
                    )
                }
    _require_one(found)
    for _, _, person_id in found:
        person.add("person_id", person_id)


def _ask_profiles(db: _Databases, person: Person, text: str) -> None:
    """Whose profile shows the identifier in the exports, now or earlier."""
    people = db.people()
    if people is None:
        return
    found = {
        (str(kind), str(workspace), str(cio_id))
        for kind, workspace, cio_id in db.rows(
            f"select distinct case when {_CIO} = ? then 'cio_id' when {_CUSTOMER} = ? "
            f"then 'customer_id' else 'email' end, {db.workspace(people)}, {_CIO} from {people} "
            f"where {_CIO} = ? or {_CUSTOMER} = ? or {_EMAIL} = lower(?)",
            [text] * 5,
        )
    }
    _require_one(found)
    for _, workspace, cio_id in found:
        person.add_profile(workspace, cio_id)


def _require_one(found: set[tuple[str, str, str]]) -> None:
    """One person a workspace, and all of them under one kind of identifier; else nobody is meant.

    Raises:
        CounterfoilError: several people are.
    """
    everybody = {(workspace, who) for _, workspace, who in found}
    if len({who for _, who in everybody}) <= 1:
        return
    by_kind = [{(w, who) for k, w, who in found if k == kind} for kind in {k for k, _, _ in found}]
    if len({workspace for workspace, _ in everybody}) < len(everybody) or everybody not in by_kind:
        raise _several(len(everybody))


def _ask_rows(db: _Databases, person: Person, text: str) -> None:
    """Rows of somebody who has no profile, such as a guest's orders."""
    for table, column, kind in (
        ("behavior.events", "customer_id", "customer_id"),
        ("behavior.events", "email", "email"),
        ("customerio.deliveries", "internal_customer_id", "cio_id"),
        ("customerio.attributes", "internal_customer_id", "cio_id"),
        ("customerio.delivery_contents", "recipient", "email"),
        ("heap_connect.users", "identity", "heap_identity"),
        ("heap_connect.users", "email", "email"),
    ):
        relation = db.find("raw", table, column)
        if relation and db.rows(
            f"select 1 from {relation} where {normalised_sql(kind, column)} = ? limit 1",
            [normalised(kind, text)],
        ):
            person.add(kind, text)
            if kind == "cio_id":
                person.add_profile(None, text)


def _ask_ledger(ledger: Ledger, person: Person, text: str) -> None:
    for (identity,) in _told(ledger, [text], [lowered(text)] if "@" in text else []):
        person.add("heap_identity", identity)
        if "@" in text:
            person.add("email", text)


def _told(ledger: Ledger, exact: list[str], addresses: list[str]) -> list[tuple[str]]:
    """Identities that Heap was, or may have been, told; addresses are compared in lower case."""
    return ledger.rows(
        f"""
        select distinct heap_identity from (
            select heap_identity from receipts union all select heap_identity from property_state
            union all select heap_identity from intents)
        where heap_identity in {_LISTED}
            or (contains(heap_identity, '@') and lower(heap_identity) in {_LISTED})
        """,
        [exact, addresses],
    )


# -- everything else of theirs --------------------------------------------------------------------


def _complete(db: _Databases, ledger: Ledger, person: Person) -> None:
    _from_warehouse(db, person)
    _from_profiles(db, person)
    _from_heap(db, ledger, person)
    _share_profiles(db, person)
    _share_mapped(db, person)
    _share_refused(db, person)
    _share_identities(person)
    _trail(db, person)


def _from_warehouse(db: _Databases, person: Person) -> None:
    """Everything the person ever held."""
    ids: list[object] = [person.values("person_id")]
    identifiers = db.find("warehouse", "map_identifiers", "identifier", "person_id")
    if identifiers:
        for kind, value, workspace in db.rows(
            f"select identifier_type, identifier, {db.workspace(identifiers)} from {identifiers} "
            f"where person_id in {_LISTED}",
            ids,
        ):
            if kind == "cio_id":
                person.add_profile(workspace, value)
            else:
                person.add(str(kind), value)
    persons = db.find("warehouse", "dim_persons", "person_id")
    if persons:
        for column in sorted(db.columns[persons] & {"customer_id", "email", "heap_identity"}):
            for (value,) in db.rows(
                f"select {column} from {persons} where person_id in {_LISTED}", ids
            ):
                person.add(column, value)


def _from_profiles(db: _Databases, person: Person) -> None:
    """What the person's profiles show in the exports, in every version."""
    cio_ids: list[object] = [person.values("cio_id")]
    people = db.people()
    if people:
        for workspace, cio_id, customer_id, email in db.rows(
            f"select distinct {db.workspace(people)}, {_CIO}, customer_id, email_addr "
            f"from {people} where {_CIO} in {_LISTED}",
            cio_ids,
        ):
            if _is_theirs(person, str(workspace), str(cio_id)):
                person.add_profile(workspace, cio_id)
                person.add("customer_id", customer_id)
                person.add("email", email)
    held = _held_anonymous_ids(db)
    if held:
        for workspace, cio_id, value in db.rows(
            f"select * from ({held}) where cio_id in {_LISTED}", cio_ids
        ):
            if _is_theirs(person, str(workspace), str(cio_id)):
                person.add("anonymous_id", value)


def _is_theirs(person: Person, workspace: str, cio_id: str) -> bool:
    """Whether a profile is the person's: another workspace may use the same cio_id."""
    places = {place for place, known in person.profiles if known == cio_id}
    return bool(places) and (workspace in places or not workspace or "" in places)


def _held_anonymous_ids(db: _Databases) -> str | None:
    attributes = db.find(
        "raw", "customerio.attributes", "internal_customer_id", "attribute_name", "attribute_value"
    )
    if attributes is None:
        return None
    return (
        f"select distinct {db.workspace(attributes)} as workspace, {_CIO} as cio_id, "
        f"{normalised_sql('anonymous_id', 'attribute_value')} as held from {attributes} "
        "where attribute_name = 'anonymous_id'"
    )


def _from_heap(db: _Databases, ledger: Ledger, person: Person) -> None:
    """Identities under which Heap knows the person, or was told about them."""
    addresses = person.values("email")
    users = db.find("raw", "heap_connect.users", "identity")
    if users:
        for (identity,) in db.rows(
            f"select distinct identity from {users} "
            f"where {normalised_sql('email', 'identity')} in {_LISTED}",
            [addresses],
        ):
            person.add("heap_identity", identity)
    exact = [value for kind in ("customer_id", "heap_identity") for value in person.values(kind)]
    for (identity,) in _told(ledger, [*exact, *addresses], addresses):
        person.add("heap_identity", identity)


# -- what is not theirs alone ---------------------------------------------------------------------


def _share_profiles(db: _Databases, person: Person) -> None:
    """Set aside what another profile holds or held, in whatever version of whatever workspace."""
    people = db.people()
    if people is None:
        return
    held = {_spelling(v) for k, v in person.identifiers if k in (*IDENTIFIER_TYPES, "person_id")}
    rows = db.rows(
        f"select distinct {db.workspace(people)}, {_CIO}, {_CUSTOMER}, {_EMAIL} from {people} "
        f"where {_CIO} in {_LISTED} or {_CUSTOMER} in {_LISTED} or {_EMAIL} in {_LISTED} "
        f"or (contains({_CUSTOMER}, '@') and lower({_CUSTOMER}) in {_LISTED})",
        [person.values("cio_id"), *[sorted(held)] * 3],
    )
    for workspace, cio_id, customer_id, email in rows:
        if _is_theirs(person, str(workspace), str(cio_id)):
            continue
        if ("cio_id", str(cio_id)) in person.identifiers:
            person.bound.add(str(cio_id))
        for kind, value in (("customer_id", customer_id), ("email", email)):
            if value:
                person.share(kind, str(value))
                person.elsewhere.add(_spelling(str(value)))
    anonymous_ids = _held_anonymous_ids(db)
    if anonymous_ids:
        for workspace, cio_id, value in db.rows(
            f"select * from ({anonymous_ids}) where held in {_LISTED}",
            [person.values("anonymous_id")],
        ):
            if not _is_theirs(person, str(workspace), str(cio_id)):
                person.share("anonymous_id", str(value))


def _share_mapped(db: _Databases, person: Person) -> None:
    """Set aside what identity gives to somebody else too, now or earlier."""
    identifiers = db.find("warehouse", "map_identifiers", "identifier", "person_id")
    ids = person.values("person_id")
    if identifiers and ids:
        for kind, value in db.rows(
            f"select distinct identifier_type, identifier from {identifiers} "
            f"where identifier_type <> 'cio_id' and person_id not in {_LISTED} "
            f"and identifier in {_LISTED}",
            [ids, sorted(value for _, value in person.identifiers)],
        ):
            person.share(str(kind), str(value))
            if kind != "heap_user_id":
                person.elsewhere.add(_spelling(str(value)))
    persons = db.find("warehouse", "dim_persons", "person_id", "heap_identity")
    if persons and ids:
        for (identity,) in db.rows(
            f"select distinct heap_identity from {persons} where person_id not in {_LISTED} "
            f"and heap_identity in {_LISTED}",
            [ids, person.values("heap_identity")],
        ):
            person.share("heap_identity", str(identity))


def _share_refused(db: _Databases, person: Person) -> None:
    """Set aside what identity refused: hubs that somebody else holds too, and placeholders."""
    refused = db.find(
        "warehouse",
        "fct_identity_refused_links",
        "identifier_type",
        "identifier",
        "cio_id",
        "reason",
    )
    if refused:
        for kind, value in db.rows(
            f"select distinct identifier_type, identifier from {refused} "
            f"where reason in ('hub', 'placeholder') and cio_id not in {_LISTED}",
            [person.values("cio_id")],
        ):
            person.share(str(kind), str(value))
    placeholders = _placeholders(db)
    for kind, value in list(person.identifiers):
        if lowered(value) in placeholders.get(kind, ()):
            person.share(kind, value)


def _placeholders(db: _Databases) -> dict[str, set[str]]:
    """Values that mean nobody, by kind: those the warehouse was built with, and ours."""
    with (PROJECT_DIR / "seeds" / "identity_rules.csv").open(encoding="utf-8-sig") as handle:
        rows = [
            (row["identifier_type"], row["placeholder_values"]) for row in csv.DictReader(handle)
        ]
    rules = db.find("warehouse", "int_identity__rules", "identifier_type", "placeholder_values")
    if rules:
        rows += [
            (str(kind), str(values or ""))
            for kind, values in db.rows(
                f"select distinct identifier_type, placeholder_values from {rules}"
            )
        ]
    found: dict[str, set[str]] = {}
    for kind, values in rows:
        found.setdefault(kind.strip(), set()).update(
            value.strip().lower() for value in (values or "").split("|") if value.strip()
        )
    return found


def _share_identities(person: Person) -> None:
    """A Heap identity is shared where the identifier that it repeats is."""
    repeated = {_spelling(value) for kind, value in person.shared if kind in TOLD_TYPES}
    for identity in person.values("heap_identity"):
        if _spelling(identity) in repeated | person.elsewhere:
            person.share("heap_identity", identity)


def _trail(db: _Databases, person: Person) -> None:
    """Deliveries, journeys and Heap users of the person: their rows name nobody, but are theirs."""
    for kind, table, column, by, owner in (
        ("delivery_id", "customerio.deliveries", "delivery_id", "internal_customer_id", "cio_id"),
        ("journey", "customerio.deliveries", "subject_id", "internal_customer_id", "cio_id"),
        ("journey", "customerio.subjects", "subject_name", "internal_customer_id", "cio_id"),
        ("heap_user_id", "heap_connect.users", "user_id", "identity", "heap_identity"),
    ):
        relation = db.find("raw", table, column, by)
        if relation is None:
            continue
        holder = normalised_sql(owner, by)
        mine = f"coalesce({holder} in {_LISTED}, false)"
        values: list[object] = [person.values(owner)]
        if owner == "cio_id" and person.bound:
            places = sorted(f"{place}:{cio}" for place, cio in person.profiles)
            mine = (
                f"(coalesce({holder} in {_LISTED}, false) or "
                f"coalesce({db.workspace(relation)} || ':' || {holder} in {_LISTED}, false))"
            )
            values = [sorted({*person.values(owner)} - person.bound), places]
        for value, is_mine in db.rows(
            f"select {column}, bool_and({mine}) from {relation} where {column} is not null "
            f"group by {column} having bool_or({mine})",
            [*values, *values],
        ):
            person.add(kind, value)
            if not is_mine:
                person.share(kind, normalised(kind, str(value)))
