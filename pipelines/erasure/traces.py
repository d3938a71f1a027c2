"""Traces of a person in texts: identifiers are compared whole, never by what they contain.

A mention is taken out of its cell and the row stays: as a whole cell, a whole element of a list, a
whole leaf of JSON, or a whole word of a text. A part of an address on the web is read as what it
spells: `e=ann%40example.com` mentions `ann@example.com`.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote, unquote

from pipelines.blanks import BLANKS, trimmed_sql
from pipelines.built.quoting import literal, quoted

SHORTEST_ID = 10
DIGITS = frozenset("0123456789")
"""A shorter id, one without a letter or one without a digit may be any number or word."""


def may_be_mentioned(identifier: str) -> bool:
    """Whether an id (no address) is so much its own that a text that holds it means the person."""
    return (
        len(identifier) >= SHORTEST_ID
        and any(letter.isalpha() for letter in identifier)
        and not DIGITS.isdisjoint(identifier)
    )


ENCODED_SIGNS = ("%40", "%2540", "%252540")
"""The @ of an address in an address on the web, and in one that stands inside another."""

ERASED = "(erased)"
"""What stands in a text where a mention was."""


def normalised(kind: str, identifier: str) -> str:
    """The spelling that is compared: trimmed, and lower case for e-mail addresses."""
    text = identifier.strip(BLANKS)
    return lowered(text) if kind == "email" else text


def lowered(text: str) -> str:
    """Lower case a letter at a time, as DuckDB does it."""
    return "".join(letter.lower()[:1] for letter in text)


def normalised_sql(kind: str, expression: str) -> str:
    """SQL for `normalised` of a column."""
    text = trimmed_sql(f"cast({expression} as varchar)")
    return f"lower({text})" if kind == "email" else text


@dataclass(frozen=True)
class Mentions:
    """Finds whole identifiers in texts.

    `is_address` is asked about e-mail addresses in lower case, `is_id` about other identifiers as
    they are spelled.
    """

    is_address: Callable[[str], bool]
    is_id: Callable[[str], bool]

    def without(self, value: Any) -> Any:
        """A cell without the mentions; None when it was nothing else; itself when it has none."""
        if isinstance(value, list):
            kept = [self.without(element) for element in value]
            if kept == value:
                return value
            return [
                new for old, new in zip(value, kept, strict=True) if old is None or new is not None
            ]
        if not isinstance(value, str):
            return value
        if self._is_whole(value):
            return None
        if value.lstrip(BLANKS)[:1] in ("{", "[") and _is_json(value):
            return _JSON_TEXT.sub(self._without_leaf, value)
        return self.in_text(value)

    def in_text(self, text: str, *, deep: int = len(ENCODED_SIGNS)) -> str:
        """A text without the mentions that stand in it as whole words.

        `deep`: how often a part of an address on the web may have been spelled out.
        """
        if "://" in text:
            text = _ON_THE_WEB.sub(self._without_parts, text)
        text = self._without_words(text)
        if deep and "%" in text:
            text = _ENCODED.sub(lambda found: self._without_encoded(found[0], deep - 1), text)
        return text

    def _without_parts(self, found: re.Match[str]) -> str:
        """An address on the web: what its signs part stands for itself."""
        return _PART.sub(lambda part: self._without_words(part[0]), found[0])

    def _without_words(self, text: str) -> str:
        if "@" in text:
            text = address_pattern().sub(self._without_address, text)
        return id_pattern().sub(self._without_id, text)

    def _without_encoded(self, part: str, deep: int) -> str:
        """A part of an address on the web, as it was unless it spells a mention."""
        spelled = unquote(part, errors="surrogateescape")
        kept = self.in_text(spelled, deep=deep)
        return part if kept == spelled else quote(kept, safe="():", errors="surrogateescape")

    def _is_whole(self, text: str) -> bool:
        trimmed = text.strip(BLANKS)
        return ("@" in trimmed and self.is_address(lowered(trimmed))) or self.is_id(trimmed)

    def _without_leaf(self, found: re.Match[str]) -> str:
        """A text inside JSON: null for a whole leaf, and the rest byte for byte as it was."""
        text = json.loads(found[1], strict=False)
        is_key = found[2] is not None
        if self._is_whole(text):
            return (json.dumps(ERASED) if is_key else "null") + (found[2] or "")
        kept = self.in_text(text)
        return found[0] if kept == text else json.dumps(kept) + (found[2] or "")

    def _without_address(self, found: re.Match[str]) -> str:
        local, domain = found["local"], found["domain"]
        after = found.string[found.end() : found.end() + len(local)]
        quotes = 0
        while quotes < len(local) and _PAIRS.get(local[quotes]) == after[quotes : quotes + 1]:
            quotes += 1
        address = f"{local[quotes:]}@{domain.rstrip('.-')}"
        if not self.is_address(lowered(address)):
            return found[0]
        return local[:quotes] + ERASED + found[0][len(local) + 1 + len(domain.rstrip(".-")) :]

    def _without_id(self, found: re.Match[str]) -> str:
        word = found[0].rstrip(".:!")
        return ERASED + found[0][len(word) :] if word and self.is_id(word) else found[0]


_JSON_TEXT = re.compile(r'("(?:[^"\\]|\\.)*+")(\s*:)?')
_ON_THE_WEB = re.compile(r"""(?<![A-Za-z0-9])[A-Za-z][A-Za-z0-9+.\-]*+://[^\s"<>]++""")
_PART = re.compile(r"[^?&=/#;]++")
_ENCODED = re.compile(
    r"""[^\s"'<>&=?/#;,()\[\]{}|\\^`%]*+(?:%[0-9A-Fa-f]{2}[^\s"'<>&=?/#;,()\[\]{}|\\^`%]*+)++"""
)
_STOPS = "\x85\u200b\u2060\ufeff"
_PAIRS = {"'": "'", "`": "`", "*": "*", "{": "}", "|": "|", "~": "~"}


@cache
def _foreign_stops() -> str:
    """Spaces and punctuation beyond ASCII: no identifier goes on through them."""
    return "".join(
        re.escape(chr(code))
        for code in range(0x80, 0x10000)
        if unicodedata.category(chr(code))[0] in "PZ" or chr(code) in _STOPS
    )


@cache
def address_pattern() -> re.Pattern[str]:
    """An e-mail address with everything that may belong to it.

    The local part is whatever its grammar allows without quotes: `o'ann@…`, `x+ann@…` and
    `a=ann@…` are other addresses than `ann@…`.
    """
    stop = _foreign_stops()
    local = rf'[^\x00-\x20\x7f"<>()\[\],;:\\@{stop}]'
    domain = rf"(?:[A-Za-z0-9_.\-]|[^\x00-\x7f{stop}])"
    return re.compile(
        rf'(?<![^\x00-\x20\x7f"<>()\[\],;:\\{stop}])'
        rf"(?P<local>{local}++)@(?P<domain>{domain}++)(?!@)"
    )


@cache
def id_pattern() -> re.Pattern[str]:
    """A run of whatever ids are made of: letters, digits and the signs that join them."""
    return re.compile(rf"(?:[A-Za-z0-9_\-.:/+@%=~#$&*!|]|[^\x00-\x7f{_foreign_stops()}])++")


@cache
def word_pattern_sql() -> str:
    """`id_pattern` as DuckDB spells it, for runs that are long enough to be a mention."""
    stops = re.compile(f"[{_foreign_stops()}]")
    ranges: list[str] = []
    start = 0
    for code in range(0x80, 0x10001):
        is_end = code == 0x10000 or 0xD800 <= code < 0xE000 or bool(stops.match(chr(code)))
        if not is_end and not start:
            start = code
        elif is_end and start:
            ranges.append(rf"\x{{{start:x}}}-\x{{{code - 1:x}}}")
            start = 0
    letters = "".join([*ranges, r"\x{10000}-\x{10ffff}"])
    return rf"[A-Za-z0-9_\-.:/+@%=~#$&*!|{letters}]{{{SHORTEST_ID},}}"


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def holds_sql(column: str, data_type: str, needles: list[str]) -> str:
    """SQL that is true at least where a cell may mention one of `needles` (lower case)."""
    text = f"cast({quoted(column)} as varchar)" if data_type.endswith("]") else quoted(column)
    tests = [f"contains(lower({text}), {literal(needle)})" for needle in needles]
    # JSON may spell any letter by its number, and a slash with a backslash before it; an address
    # on the web may spell every one by its number
    tests += [f"contains({text}, '{part}')" for part in ("\\u00", "\\/", *ENCODED_SIGNS)]
    tests += [
        f"contains(lower({text}), {literal(spelled)})"
        for needle in needles
        if "@" not in needle and (spelled := quote(needle, safe="").lower()) != needle
    ]
    return f"coalesce({' or '.join(tests)}, false)"
