"""So many of a thing, in words."""

from __future__ import annotations

import re


def counted(count: int, noun: str) -> str:
    """`1 new file`, `2 new files`."""
    return f"{count:,} {plural(noun, count)}"


def plural(noun: str, count: int) -> str:
    """The noun as it stands beside so many."""
    if count == 1:
        return noun
    return re.sub(r"(?<![aeiou])y$", "ie", noun) + "s"
