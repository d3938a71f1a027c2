"""A person: everything the three databases call the same somebody, and what is not theirs alone."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field

from pipelines.blanks import BLANKS
from pipelines.erasure.traces import Mentions, lowered, may_be_mentioned, normalised
from pipelines.loading.identifiers import IDENTIFIER_TYPES

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
            no rows and keep nobody out, but name nobody any more (see `kept`).
        bound: cio_ids that another workspace gives to somebody else.
        elsewhere: identifiers that somebody else holds, as this or another kind (addresses in
            lower case), or that are words of their own, such as the name of an event: not looked
            for in texts.
        in_heap: identities that Heap Connect shows.
    """

    subject: str
    identifiers: set[Identifier] = field(default_factory=set)
    profiles: set[tuple[str, str]] = field(default_factory=set)
    shared: set[Identifier] = field(default_factory=set)
    bound: set[str] = field(default_factory=set)
    elsewhere: set[str] = field(default_factory=set)
    in_heap: set[str] = field(default_factory=set)

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

    def kept(self) -> list[Identifier]:
        """What may have named the person and is somebody else's too, as `spelling` spells it."""
        return [
            *((kind, spelling(value)) for kind, value in self.shared if kind in ASKED_TYPES),
            *(("cio_id", value) for value in self.bound),
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
            and may_be_mentioned(value)
            and value not in self.bound
            and value not in self.elsewhere
        }

    def distinctive(self) -> list[str]:
        """All that is looked for in texts, in lower case."""
        texts = {*self.addresses(), *self.ids()}
        return sorted({lowered(value) for value in (*texts, *encoded(texts))})

    def mentions(self, *, with_ids: bool = True) -> Mentions:
        """How texts are read for addresses, and for other identifiers."""
        addresses, ids = self.addresses(), self.ids() if with_ids else set()
        words = ids | encoded(addresses | ids)
        return Mentions(addresses.__contains__, words.__contains__)

    def count_in_columns_only(self) -> int:
        """Identifiers that only the columns of their own kind are searched for."""
        searched = {*self.addresses(), *self.ids()}
        return sum(
            kind in IDENTIFIER_TYPES and spelling(value) not in searched
            for kind, value in self.identifiers
        )

    def owns(self, workspace: str, cio_id: str) -> bool:
        """Whether a profile is the person's: another workspace may use the same cio_id."""
        places = {place for place, known in self.profiles if known == cio_id}
        return bool(places) and (workspace in places or not workspace or "" in places)

    def is_named(self, identifier: str) -> bool:
        """Whether somebody who asks by this identifier asks for this person."""
        return spelling(identifier.strip(BLANKS)) == self.subject or any(
            (kind, normalised(kind, identifier)) in self.identifiers for kind in ASKED_TYPES
        )

    def held(self, identifier: str) -> bool:
        """Whether the person ever held this identifier, be it theirs alone or not."""
        text = spelling(identifier.strip(BLANKS))
        return self.is_named(identifier) or any(text == value for _, value in self.kept())


def spelling(identifier: str) -> str:
    """How an identifier is compared across kinds: an address in lower case, an id as it is."""
    return lowered(identifier) if "@" in identifier else identifier


def encoded(texts: Iterable[str]) -> set[str]:
    """How texts are spelled in base64, with and without what fills it up, and in hex.

    None that may be any number, as the hex of some ids is.
    """
    found: set[str] = set()
    for text in texts:
        content = text.encode("utf-8", "surrogateescape")
        for spelled in (b64encode(content).decode(), urlsafe_b64encode(content).decode()):
            found |= {spelled, spelled.rstrip("=")}
        found |= {content.hex(), content.hex().upper()}
    return set(filter(may_be_mentioned, found))
