"""The proof: after an erasure, all of it is searched once more."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipelines.erasure.certificate import Proof
from pipelines.erasure.databases import other_databases, search_database
from pipelines.erasure.exports import files_below
from pipelines.erasure.filelines import without_person
from pipelines.erasure.homefiles import home_files
from pipelines.erasure.person import Person
from pipelines.erasure.searching import holds_bytes, names_person, search
from pipelines.settings import Settings


def prove(settings: Settings, person: Person, exports: Sequence[Path] = ()) -> Proof:
    """Search every text column of every table of every database, and every other file.

    Args:
        settings: home.
        person: whom nothing should name any more.
        exports: folders elsewhere that were rewritten on request.
    """
    proof = Proof()
    three = (settings.raw_path, settings.warehouse_path, settings.ledger_path)
    for path in (*three, *other_databases(settings)):
        if path.exists():
            search_database(settings, path, person, proof)
            proof.count_files += 1
            # the file is a fresh copy of its tables: what its bytes hold beyond whole values stands
            # inside longer ones, or where two values stand side by side
            if holds_bytes(path, person):
                proof.left[f"the blocks of {path.name}"] = (
                    "bytes that hold an identifier inside longer values, or over two of them"
                )
    unread: dict[str, int] = {}
    for file in home_files(settings):
        name = _masked(file.name, person)
        if file.care == "leave":
            found = search(file.path, person)
            if found == "unread":
                place = f"{name.rpartition('/')[0] or '.'}/*{file.path.suffix}"
                unread[place] = unread.get(place, 0) + 1
                continue
            if found == "whole":
                proof.left[name] = (
                    "not ours, names the person: yours to clean (a load keeps them out)"
                )
        elif file.care == "rewrite":
            if without_person(file.path, person, dry=True) != "same":
                proof.found.append(name)
        elif names_person(file.path, person):
            proof.found.append(name)
        proof.count_files += 1
    _prove_exports(settings, person, exports, proof, unread)
    for place, count in sorted(unread.items()):
        proof.not_searched[place] = (
            f"{count} packed, binary or damaged files that are not ours: yours to look into"
        )
    return proof


def _prove_exports(
    settings: Settings,
    person: Person,
    exports: Sequence[Path],
    proof: Proof,
    unread: dict[str, int],
) -> None:
    home = settings.home.resolve()
    for path in (path for folder in exports for path in files_below(folder)):
        if path.is_relative_to(home):
            continue  # searched above
        found = search(path, person)
        if found == "unread":
            place = f"exports/*{path.suffix}"
            unread[place] = unread.get(place, 0) + 1
            continue
        proof.count_files += 1
        if found == "whole":
            proof.left[_masked(f"exports/{path.name}", person)] = "still names the person"


def _masked(name: str, person: Person) -> str:
    """A file's name without personal data: names of files may be addresses."""
    hidden = [
        "(erased)" if "@" in part or any(n in part.lower() for n in person.distinctive()) else part
        for part in name.split("/")
    ]
    return "/".join(hidden)
