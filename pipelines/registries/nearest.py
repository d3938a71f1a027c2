"""The nearest valid spelling of what somebody wrote, and how it may be shown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

SHOWABLE = re.compile(r"[A-Za-z0-9_+/.,:; -]{1,40}")
CLOSE = 0.6


def shown(text: str) -> str:
    """The text in quotation marks, where nothing in it can be an address or hide something."""
    return f"`{text}`" if SHOWABLE.fullmatch(text) else "(not shown)"


def of(text: str, valid: Iterable[str], close: float = CLOSE) -> str | None:
    """The valid spelling that comes nearest, if any comes near."""
    folded: dict[str, str] = {}
    for spelling in valid:
        folded.setdefault(spelling.casefold(), spelling)
    found = get_close_matches(text.strip().casefold(), folded, n=1, cutoff=close)
    return folded[found[0]] if found else None


def key(text: str) -> str | None:
    """The key that somebody may have meant, where it has letters, digits and what parts them."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_ .-]*", text.strip()):
        return None
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text.strip())
    return re.sub(r"[^a-z0-9]+", "_", parted.lower()).strip("_")
