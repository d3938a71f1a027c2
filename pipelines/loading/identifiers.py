"""Kinds of identifiers, and what a column may say about people.

Each column of an input family says which kind it holds (`families.Column`); erasure, tombstones and
the proof are derived from that (`pipelines/erasure/columns.py`).
"""

from __future__ import annotations

from typing import Literal, get_args

Owner = Literal[
    "person_id", "profile", "cio_id", "customer_id", "anonymous_id", "heap_identity",
    "heap_user_id", "delivery_id", "journey", "email",
]  # fmt: skip
"""Kinds of identifiers that say whose a row is. `profile` is a workspace and a cio_id; deliveries
and journeys name nobody, but each is of one person."""

Holds = Owner | Literal["node", "any", "other", "text", "thing", "none", "file"]
"""What a column holds, if anything, of people:

an identifier that says whose the row is (see `Owner`), `node` being a profile or a Heap user, and
`any` one whose kind stands in `identifier_type` beside it; `other`, an identifier of somebody the
row is not about; `text`, free text, a list or JSON in which anybody may be named; `thing`, an id
of something that is no person, in which only an address would name one; `none`, a word, a name or
a number that names nobody (a text is searched all the same: somebody may have written one there);
`file`, the name of a file of the user's, which stays as it is.
"""

OWNERS: tuple[Owner, ...] = get_args(Owner)
IDENTIFIER_TYPES: tuple[Owner, ...] = (
    "cio_id", "customer_id", "email", "anonymous_id", "heap_identity",
)  # fmt: skip
"""Kinds that people are known by, and that tombstones remember."""
TOLD_TYPES: tuple[Owner, ...] = ("heap_identity", "customer_id", "email")
"""Kinds whose identifiers Heap may have been told as an identity."""
