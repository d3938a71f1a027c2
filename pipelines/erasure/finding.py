"""Who stands behind an identifier, and everything else of theirs."""

from __future__ import annotations

from pipelines.blanks import BLANKS
from pipelines.erasure.columns import named_in_families, trails
from pipelines.erasure.lookup import (
    CIO,
    CUSTOMER,
    EMAIL,
    LISTED,
    Databases,
    attached,
    held_anonymous_ids,
    placeholders,
)
from pipelines.erasure.person import Person, spelling
from pipelines.erasure.sharing import set_aside
from pipelines.erasure.told import told_about
from pipelines.erasure.traces import lowered, normalised, normalised_sql
from pipelines.errors import CounterfoilError, UsageError
from pipelines.heap.ledger import Ledger
from pipelines.loading.identifiers import IDENTIFIER_TYPES, TOLD_TYPES
from pipelines.loading.tombstones import is_erased, kept_type
from pipelines.settings import Settings


def find_person(settings: Settings, ledger: Ledger, identifier: str) -> Person:
    """The person (or, across workspaces, the persons) who holds an identifier now.

    Raises:
        UsageError: the identifier is empty.
        CounterfoilError: nobody holds it, and whether they were erased before; or several people
            of one workspace do; or somebody who was erased held it too.
    """
    text = identifier.strip(BLANKS)
    if not text:
        raise UsageError("Say whom to erase: any identifier of the person.")
    person = Person(spelling(text))
    with attached(settings) as db:
        if any(lowered(person.subject) in placeholders(db).get(kind, ()) for kind in TOLD_TYPES):
            raise CounterfoilError(
                "This identifier stands for nobody (see identity_rules.csv and "
                "identity_placeholders.csv): erase the person by "
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
    _require_unambiguous(ledger, person, text)
    return person


def refresh_person(settings: Settings, ledger: Ledger, person: Person) -> None:
    """Add what the databases tell of a person by now, and what somebody else holds by now."""
    with attached(settings) as db:
        _complete(db, ledger, person)


def _raise_unknown(ledger: Ledger, text: str) -> None:
    erased = any(_was_held(ledger, kind, text) for kind in IDENTIFIER_TYPES)
    raise CounterfoilError(
        "This person was erased before; nothing is left to erase."
        if erased
        else "Nobody is known under this identifier: use a person_id, cio_id, customer_id, "
        "e-mail address or Heap identity."
    )


def _require_unambiguous(ledger: Ledger, person: Person, text: str) -> None:
    """Whoever asks for the erased again, by what they shared, does not mean an earlier holder.

    Raises:
        CounterfoilError: somebody who was erased held the identifier too.
    """
    if ("person_id", text) in person.identifiers:
        return
    is_profile = ("cio_id", text) in person.identifiers
    kinds = ("cio_id",) if is_profile else IDENTIFIER_TYPES
    if any(_was_held(ledger, kind, text) for kind in kinds):
        raise CounterfoilError(
            "This identifier was also held by somebody who was erased, so that it names nobody any "
            "more and nothing was erased now: if you mean somebody else, name them by their "
            f"{'person_id' if is_profile else 'cio_id or person_id'}."
        )


def _was_held(ledger: Ledger, kind: str, text: str) -> bool:
    """Whether somebody who was erased held an identifier, alone or with others."""
    return is_erased(ledger, kind, text) or is_erased(ledger, kept_type(kind), spelling(text))


def _several(count: int) -> CounterfoilError:
    return CounterfoilError(
        f"{count} people hold this identifier, and an erasure takes one: erase each of them by "
        "their person_id or cio_id (where nothing was built yet, build first)."
    )


# -- whom an identifier names ---------------------------------------------------------------------


def _ask_warehouse(db: Databases, person: Person, text: str) -> None:
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


def _ask_profiles(db: Databases, person: Person, text: str) -> None:
    """Whose profile shows the identifier in the exports, now or earlier."""
    people = db.people()
    if people is None:
        return
    found = {
        (str(kind), str(workspace), str(cio_id))
        for kind, workspace, cio_id in db.rows(
            f"select distinct case when {CIO} = ? then 'cio_id' when {CUSTOMER} = ? "
            f"then 'customer_id' else 'email' end, {db.workspace(people)}, {CIO} from {people} "
            f"where {CIO} = ? or {CUSTOMER} = ? or {EMAIL} = lower(?)",
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


def _ask_rows(db: Databases, person: Person, text: str) -> None:
    """Rows of somebody who has no profile, such as a guest's orders."""
    for kind, table, column in named_in_families("cio_id", "customer_id", "email", "heap_identity"):
        relation = db.find("raw", table, column)
        if relation and db.rows(
            f"select 1 from {relation} where {normalised_sql(kind, column)} = ? limit 1",
            [normalised(kind, text)],
        ):
            person.add(kind, text)
            if kind == "cio_id":
                person.add_profile(None, text)


def _ask_ledger(ledger: Ledger, person: Person, text: str) -> None:
    for told in told_about(ledger, [text], [lowered(text)] if "@" in text else []):
        person.add("heap_identity", told.identity)
        if "@" in text:
            person.add("email", text)


# -- everything else of theirs --------------------------------------------------------------------


def _complete(db: Databases, ledger: Ledger, person: Person) -> None:
    _from_warehouse(db, person)
    _from_profiles(db, person)
    _from_heap(db, ledger, person)
    set_aside(db, person)
    _trail(db, person)


def _from_warehouse(db: Databases, person: Person) -> None:
    """Everything the person ever held."""
    ids: list[object] = [person.values("person_id")]
    identifiers = db.find("warehouse", "map_identifiers", "identifier", "person_id")
    if identifiers:
        for kind, value, workspace in db.rows(
            f"select identifier_type, identifier, {db.workspace(identifiers)} from {identifiers} "
            f"where person_id in {LISTED}",
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
                f"select {column} from {persons} where person_id in {LISTED}", ids
            ):
                person.add(column, value)


def _from_profiles(db: Databases, person: Person) -> None:
    """What the person's profiles show in the exports, in every version."""
    cio_ids: list[object] = [person.values("cio_id")]
    people = db.people()
    if people:
        for workspace, cio_id, customer_id, email in db.rows(
            f"select distinct {db.workspace(people)}, {CIO}, customer_id, email_addr "
            f"from {people} where {CIO} in {LISTED}",
            cio_ids,
        ):
            if person.owns(str(workspace), str(cio_id)):
                person.add_profile(workspace, cio_id)
                person.add("customer_id", customer_id)
                person.add("email", email)
    held = held_anonymous_ids(db)
    if held:
        for workspace, cio_id, value in db.rows(
            f"select * from ({held}) where cio_id in {LISTED}", cio_ids
        ):
            if person.owns(str(workspace), str(cio_id)):
                person.add("anonymous_id", value)


def _from_heap(db: Databases, ledger: Ledger, person: Person) -> None:
    """Identities under which Heap knows the person, or was told about them."""
    addresses = person.values("email")
    exact = [value for kind in ("customer_id", "heap_identity") for value in person.values(kind)]
    users = db.find("raw", "heap_connect.users", "identity")
    if users:
        for (identity,) in db.rows(
            f"select distinct identity from {users} where identity in {LISTED} "
            f"or {normalised_sql('email', 'identity')} in {LISTED}",
            [exact, addresses],
        ):
            person.add("heap_identity", identity)
            person.in_heap.add(normalised("heap_identity", str(identity)))
    for told in told_about(ledger, [*exact, *addresses], addresses):
        person.add("heap_identity", told.identity)


def _trail(db: Databases, person: Person) -> None:
    """Deliveries, journeys and Heap users of the person: their rows name nobody, but are theirs."""
    for trail in trails():
        relation = db.find("raw", f"{trail.schema}.{trail.table}", trail.column, trail.by)
        if relation is None:
            continue
        holder = normalised_sql(trail.owner, trail.by)
        mine = f"coalesce({holder} in {LISTED}, false)"
        values: list[object] = [person.values(trail.owner)]
        if trail.owner == "cio_id" and person.bound:
            places = sorted(f"{place}:{cio}" for place, cio in person.profiles)
            mine = (
                f"(coalesce({holder} in {LISTED}, false) or "
                f"coalesce({db.workspace(relation)} || ':' || {holder} in {LISTED}, false))"
            )
            values = [sorted({*person.values(trail.owner)} - person.bound), places]
        for value, is_mine in db.rows(
            f"select {trail.column}, bool_and({mine}) from {relation} "
            f"where {trail.column} is not null "
            f"group by {trail.column} having bool_or({mine})",
            [*values, *values],
        ):
            person.add(trail.kind, value)
            if not is_mine:
                person.share(trail.kind, normalised(trail.kind, str(value)))
