"""How an identifier may be written in bytes: as text, JSON, HTML and addresses on the web spell it.

Any letter may stand there by its number, and two bytes may stand for a letter (UTF-16). Bytes are
therefore looked at as they are, and as what they spell.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from pipelines.erasure.person import Person
from pipelines.erasure.traces import ENCODED_SIGNS

LONGEST_LETTER = 8
"""Bytes that a letter of an identifier may take, such as `%252561`."""

_DEEP = 3
"""How often what was spelled out may spell something: JSON in a text of JSON."""
_LETTERS = (
    (b"\\u", re.compile(rb"\\+u(?P<hexadecimal>[0-9a-fA-F]{4})")),
    (
        b"&#",
        re.compile(rb"&#(?:[xX]0*(?P<hexadecimal>[0-9a-fA-F]{1,6})|0*(?P<decimal>[0-9]{1,7}));?"),
    ),
    # what an address on the web need not spell by its number: letters, digits and - . _ ~
    (
        b"%",
        re.compile(
            rb"%(?:25){0,2}(?P<hexadecimal>2[deDE]|5[fF]|7[eE]|3[0-9]|[46][1-9a-fA-F]|[57][0-9aA])"
        ),
    ),
)
"""A letter by its number, as JSON, HTML and addresses on the web have it, and how each begins."""
_WIDE_SIGNS = (b"\\\0u\0", b"&\0#\0")
_WIDE_PERCENT = re.compile(rb"%\0[2-7]\0[0-9a-fA-F]")
_CONTROL = re.compile(r'\\+([bfnrt"/])')
_LAST_LETTER = 0x10FFFF


@dataclass(frozen=True)
class Needles:
    """What is looked for, in lower case: as one byte a letter, and as two.

    `longest` is how many bytes one of them may take.
    """

    pattern: re.Pattern[bytes]
    wide: re.Pattern[bytes]
    longest: int


def needles(person: Person) -> Needles:
    """What is looked for in files, for a person."""
    spelled = {s.lower() for text in person.distinctive() for s in _spellings(text)}
    wide = {s.encode("utf-16-le").removesuffix(b"\0") for s in spelled}
    wide |= {s.encode("utf-16-be").removeprefix(b"\0") for s in spelled}
    plain = {s.encode() for s in spelled}
    longest = LONGEST_LETTER * max((len(needle) for needle in plain), default=0)
    return Needles(_any_of(plain), _any_of(wide), longest)


def _any_of(texts: set[bytes]) -> re.Pattern[bytes]:
    return re.compile(b"|".join(map(re.escape, sorted(texts))) or b"(?!)")


def _spellings(text: str) -> Iterator[str]:
    yield from (text, json.dumps(text)[1:-1], html.escape(text))
    for _ in ENCODED_SIGNS:
        text = quote(text, safe="")
        yield text


def views(content: bytes, wanted: Needles) -> Iterator[tuple[bytes, bool, bool]]:
    """Bytes as they are, and as UTF-8 for what they spell, wherever they may spell something.

    With each, whether it begins where the bytes begin, and ends where they end: half a letter of
    two bytes is none.
    """
    for text, begins, ends in _texts(content, wanted):
        yield text, begins, ends
        spelled = text
        for _ in range(_DEEP):
            before = spelled
            for sign, letter in _LETTERS:
                if sign in spelled:
                    spelled = letter.sub(_spelled, spelled)
            if spelled == before:
                break
            yield spelled, begins, ends


def holds(content: bytes, wanted: Needles) -> bool:
    """Whether bytes hold one of these, in whatever spelling."""
    return any(wanted.pattern.search(view.lower()) for view, *_ in views(content, wanted))


def readings(text: str) -> set[str]:
    """A text as it stands, and with the signs that end a word in HTML and JSON."""
    return {text, html.unescape(text), _CONTROL.sub(_sign, text)}


def _texts(content: bytes, wanted: Needles) -> Iterator[tuple[bytes, bool, bool]]:
    yield content, True, True
    if b"\0" in content and (
        wanted.wide.search(content.lower())
        or any(sign in content for sign in _WIDE_SIGNS)
        or _WIDE_PERCENT.search(content)
    ):
        for encoding in ("utf-16-le", "utf-16-be"):
            for start in (0, 1):
                text = content[start:].decode(encoding, "replace").encode("utf-8", "replace")
                yield text, not start, (len(content) - start) % 2 == 0


def _spelled(found: re.Match[bytes]) -> bytes:
    number = found.groupdict()
    decimal = number.get("decimal")
    code = int(decimal) if decimal is not None else int(number["hexadecimal"], 16)
    return chr(code).encode("utf-8", "replace") if code <= _LAST_LETTER else found[0]


def _sign(found: re.Match[str]) -> str:
    return found[1] if found[1] in '"/' else " "
