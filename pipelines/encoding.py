"""Text as its reader takes it: a terminal obeys control characters, a spreadsheet obeys formulas.

What people wrote (names of journeys, files, customer ids) is data and is never obeyed.
"""

from __future__ import annotations

import re

# C0, C1, separators of lines, marks of direction, and half characters (bytes of no encoding)
_OBEYED = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_FORMULA = re.compile(r"['\s]*[=+\-@\uff1d\uff0b\uff0d\uff20]")
_GUARD = "'"


def is_utf8(text: str) -> bool:
    """Whether UTF-8 can write it: bytes of no encoding stand in it as half characters."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def for_terminal(text: str) -> str:
    """One line that moves no cursor, changes no colour and ends where it ends."""
    return _OBEYED.sub(lambda sign: sign[0].encode("unicode_escape").decode(), text)


def for_cell(value: object) -> object:
    """A cell of a CSV that a spreadsheet shows and does not compute; see `from_cell`."""
    if isinstance(value, str) and _FORMULA.match(value):
        return _GUARD + value
    return value


def from_cell(cell: str) -> str:
    """The text of which `for_cell` made this cell."""
    is_guarded = cell.startswith(_GUARD) and _FORMULA.match(cell[1:])
    return cell[1:] if is_guarded else cell
