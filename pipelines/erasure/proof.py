"""The proof: after an erasure, all of it is searched once more."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from pipelines.erasure.certificate import Proof
from pipelines.erasure.databases import other_databases, search_database
from pipelines.erasure.exports import files_below
from pipelines.erasure.filelines import without_person
from pipelines.erasure.homefiles import home_files, home_folders
from pipelines.erasure.others import is_named_by, search_other
from pipelines.erasure.person import Person
from pipelines.erasure.searching import holds_bytes, names_person, search
from pipelines.erasure.spellings import holds, needles
from pipelines.settings import Settings

IN_BLOCKS = "bytes that hold an identifier inside longer values, or over two of them"
_SIGN = re.compile(r"@|%(25)*40")


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
                proof.left[f"the blocks of {path.name}"] = IN_BLOCKS
    others = _Others(settings, person, proof)
    for folder in home_folders(settings):
        others.name(str(folder), folder.name)
    for file in home_files(settings):
        others.name(file.name, file.path.name)
        if file.care == "leave":
            others.content(
                file.name, file.path, "not ours, names the person: yours to clean (a load keeps "
                "them out)",
            )  # fmt: skip
            continue
        if file.care == "rewrite":
            is_left = without_person(file.path, person, dry=True) != "same"
            is_left = is_left or search(file.path, person) == "whole"
        else:
            is_left = names_person(file.path, person)
        if is_left:
            proof.found.append(masked(file.name, person))
        proof.count_files += 1
    _prove_exports(settings, exports, others)
    others.tell_unread()
    return proof


def _prove_exports(settings: Settings, exports: Sequence[Path], others: _Others) -> None:
    home = settings.home.resolve()
    for folder in exports:
        told: set[Path] = set()
        for path in files_below(folder):
            if path.is_relative_to(home):
                continue  # searched above
            for parent in {*path.relative_to(folder).parents} - told:
                others.name(f"exports/{parent}", parent.name)
                told.add(parent)
            others.name(f"exports/{path.name}", path.name)
            others.content(f"exports/{path.name}", path, "still names the person")


class _Others:
    """What is told of files that are not ours, under names that hold no personal data."""

    def __init__(self, settings: Settings, person: Person, proof: Proof) -> None:
        self.settings = settings
        self.person = person
        self.proof = proof
        self.unread: dict[str, int] = {}

    def name(self, place: str, name: str) -> None:
        """Tell of the name of a file or folder."""
        if is_named_by(name, self.person):
            self._leave(place, "its name names the person: yours to rename")

    def content(self, place: str, path: Path, why: str) -> None:
        """Search a file: `why` is what is told where it names the person."""
        found, count_tables = search_other(self.settings, path, self.person)
        self.proof.count_tables += count_tables
        if found == "unread":
            kind = f"{place.rpartition('/')[0] or '.'}/*{path.suffix}"
            kind = masked(kind, self.person)
            self.unread[kind] = self.unread.get(kind, 0) + 1
            return
        self.proof.count_files += 1
        if found == "whole":
            self._leave(place, why)
        elif count_tables and holds_bytes(path, self.person):
            self._leave(place, IN_BLOCKS, "the blocks of ")

    def tell_unread(self) -> None:
        """Tell of what could not be searched, by folder and ending."""
        for place, count in sorted(self.unread.items()):
            self.proof.not_searched[place] = (
                f"{count} packed, binary or damaged files that are not ours: yours to look into"
            )

    def _leave(self, place: str, why: str, before: str = "") -> None:
        name = before + masked(place, self.person)
        told, number = name, 1
        while told in self.proof.left:  # without personal data two names may be one
            number += 1
            told = f"{name} ({number})"
        self.proof.left[told] = why


def masked(name: str, person: Person) -> str:
    """A file's name without personal data: names of files may be addresses."""
    wanted = needles(person)
    hidden = [
        "(erased)"
        if holds(part.encode("utf-8", "surrogateescape"), wanted) or _SIGN.search(part)
        else part
        for part in name.split("/")
    ]
    return "/".join(hidden)
