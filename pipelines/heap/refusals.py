"""What Heap says of a row that it refuses: its class, and the message without personal data."""

from __future__ import annotations

import re
from collections.abc import Iterable

LONGEST_MESSAGE = 200

HARMLESS = frozenset(
    """
    a an and any app app_id array at bad be body boolean bulk call cannot character characters
    duplicate element elements empty entity event events exceeds expected field fields found
    future has have idempotency_key identity in internal invalid is items json key large least
    length limit long longer malformed maximum missing more most must no not null number numeric
    object of only or parameter past payload postbody properties property range request required
    server should size string than the timestamp to too type unknown unsupported user user_id
    users value values with without wrong
    """.split()  # noqa: SIM905 - reads as a list of words
)
"""The words of an answer that are repeated; all others are left out."""

_WORD = re.compile(r"\w+")
_PATH = re.compile(r"\w+(?:\[\d*\]|[.,]\w+)*", re.ASCII)
_BETWEEN = re.compile(r"\[\d*\]|[.,]", re.ASCII)


def classify(status: int | None, text: str) -> str:
    """The class of a refusal: identity, size, type, refused or transport."""
    said = text.lower()
    if status is None or status >= 500:
        return "transport"
    if "identity" in said or "user_id" in said:
        return "identity"
    if status == 413 or any(w in said for w in ("longer", "too long", "too large", "more than")):
        return "size"
    if "should be" in said or "must be" in said or "type" in said:
        return "type"
    return "refused"


def scrub(text: str, values: Iterable[str], names: Iterable[str] = ()) -> str:
    """Heap's message without personal data: what it says in words that cannot be anybody's.

    Whatever form a value is repeated in, it is no such word; what is no such word is left out.

    Args:
        text: what Heap answered.
        values: what the call told: no word of them is kept, though it were a harmless one.
        names: of properties, kept too.
    """
    told = {word for value in values for word in _WORD.findall(value.casefold())}
    named = set(names)
    kept: list[str] = []
    for chunk in text.split():
        path = chunk.rstrip(".,:;")
        words = [word for word in _BETWEEN.split(path) if word] if _PATH.fullmatch(path) else []
        harmless = [
            word
            for word in words
            if (word in named or word.casefold() in HARMLESS)
            and told.isdisjoint(_WORD.findall(word.casefold()))
        ]
        said = ".".join(harmless) if words and len(harmless) == len(words) else "…"
        if said != "…" or kept[-1:] != ["…"]:
            kept.append(said)
    return " ".join(kept)[:LONGEST_MESSAGE]
