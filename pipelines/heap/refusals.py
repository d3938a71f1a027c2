"""What Heap says of a row that it refuses: its class, and the message without personal data."""

from __future__ import annotations

import re
from collections.abc import Iterable

LONGEST_MESSAGE = 200


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


def scrub(text: str, values: Iterable[str]) -> str:
    """Heap's message without personal data: no values of the row, nothing quoted, no address."""
    for value in sorted((v for v in values if len(v) > 1), key=len, reverse=True):
        text = text.replace(value, "…")
    text = re.sub(r"\"[^\"]*\"|'[^']*'|`[^`]*`", "…", text)
    text = re.sub(r"\S+@\S+", "…", text)
    return " ".join(text.split())[:LONGEST_MESSAGE]
