"""What is not a person's alone: somebody else holds or held it too, or it means nobody."""

from __future__ import annotations

from pipelines.built.quoting import quoted
from pipelines.erasure.lookup import (
    CIO,
    CUSTOMER,
    EMAIL,
    LISTED,
    Databases,
    held_anonymous_ids,
    placeholders,
)
from pipelines.erasure.person import Person, spelling
from pipelines.erasure.traces import lowered
from pipelines.loading.identifiers import IDENTIFIER_TYPES, TOLD_TYPES


def set_aside(db: Databases, person: Person) -> None:
    """Set aside every identifier that is not the person's alone: it finds no rows."""
    _share_profiles(db, person)
    _share_mapped(db, person)
    _share_refused(db, person)
    _share_identities(person)
    _know_words(db, person)


def _know_words(db: Databases, person: Person) -> None:
    """An id that is also the name of an event, a campaign or an arm is no mention in a text."""
    ids = sorted(person.ids())
    if not ids:
        return
    for place, table in db.tables.items():
        for column in table.names():
            found = db.rows(
                f"select distinct {quoted(column)} from {place} where {quoted(column)} in {LISTED}",
                [ids],
            )
            person.elsewhere.update(str(word) for (word,) in found)


def _share_profiles(db: Databases, person: Person) -> None:
    """Set aside what another profile holds or held, in whatever version of whatever workspace."""
    people = db.people()
    if people is None:
        return
    held = {spelling(v) for k, v in person.identifiers if k in (*IDENTIFIER_TYPES, "person_id")}
    rows = db.rows(
        f"select distinct {db.workspace(people)}, {CIO}, {CUSTOMER}, {EMAIL} from {people} "
        f"where {CIO} in {LISTED} or {CUSTOMER} in {LISTED} or {EMAIL} in {LISTED} "
        f"or (contains({CUSTOMER}, '@') and lower({CUSTOMER}) in {LISTED})",
        [person.values("cio_id"), *[sorted(held)] * 3],
    )
    for workspace, cio_id, customer_id, email in rows:
        if person.owns(str(workspace), str(cio_id)):
            continue
        if ("cio_id", str(cio_id)) in person.identifiers:
            person.bound.add(str(cio_id))
        for kind, value in (("customer_id", customer_id), ("email", email)):
            if value:
                person.share(kind, str(value))
                person.elsewhere.add(spelling(str(value)))
    anonymous_ids = held_anonymous_ids(db)
    if anonymous_ids:
        for workspace, cio_id, value in db.rows(
            f"select * from ({anonymous_ids}) where held in {LISTED}",
            [person.values("anonymous_id")],
        ):
            if not person.owns(str(workspace), str(cio_id)):
                person.share("anonymous_id", str(value))


def _share_mapped(db: Databases, person: Person) -> None:
    """Set aside what identity gives to somebody else too, now or earlier."""
    identifiers = db.find("warehouse", "map_identifiers", "identifier", "person_id")
    ids = person.values("person_id")
    if identifiers and ids:
        for kind, value in db.rows(
            f"select distinct identifier_type, identifier from {identifiers} "
            f"where identifier_type <> 'cio_id' and person_id not in {LISTED} "
            f"and identifier in {LISTED}",
            [ids, sorted(value for _, value in person.identifiers)],
        ):
            person.share(str(kind), str(value))
            if kind != "heap_user_id":
                person.elsewhere.add(spelling(str(value)))
    persons = db.find("warehouse", "dim_persons", "person_id", "heap_identity")
    if persons and ids:
        for (identity,) in db.rows(
            f"select distinct heap_identity from {persons} where person_id not in {LISTED} "
            f"and heap_identity in {LISTED}",
            [ids, person.values("heap_identity")],
        ):
            person.share("heap_identity", str(identity))


def _share_refused(db: Databases, person: Person) -> None:
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
            f"where reason in ('hub', 'placeholder') and cio_id not in {LISTED}",
            [person.values("cio_id")],
        ):
            person.share(str(kind), str(value))
    nobody = placeholders(db)
    for kind, value in list(person.identifiers):
        if lowered(value) in nobody.get(kind, ()):
            person.share(kind, value)


def _share_identities(person: Person) -> None:
    """A Heap identity is shared where the identifier that it repeats is."""
    repeated = {spelling(value) for kind, value in person.shared if kind in TOLD_TYPES}
    for identity in person.values("heap_identity"):
        if spelling(identity) in repeated | person.elsewhere:
            person.share("heap_identity", identity)
