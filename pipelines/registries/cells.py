"""A cell: read as what its column holds, or a sentence that says why it cannot be."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal

from pipelines.blanks import BLANKS
from pipelines.registries import nearest, zones
from pipelines.registries.rules import Rule

Value = str | int | float | bool | datetime | date | None

BIGINT_MAX = 2**63 - 1
FIRST_YEAR = 1990
LONGEST_KEY = 100

_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
# dbt seeds the text, and the database drops an offset without a word
_TIME = f"{_DAY}([T ]{_CLOCK}(Z|[+]00:00)?)?"
_NUMBER = r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?"


class Refused(ValueError):
    """The cell cannot be read; the message completes "the column …"."""


def is_empty(text: str) -> bool:
    """Whether nothing stands in the cell that anybody could see."""
    return not text.strip(BLANKS)


def read(text: str, rule: Rule) -> Value:
    """The value of a cell that is not empty.

    Raises:
        Refused: it is none that the column may hold.
    """
    if text.strip().lower() == "null":  # dbt seeds it as an empty cell
        raise Refused("would be read as empty: leave the cell empty")
    if rule.type == "varchar":
        return _text(text, rule)
    trimmed = text.strip(BLANKS)
    if trimmed != text:
        raise Refused(f"has blanks round its value: write {nearest.shown(trimmed)}")
    expected, read_as = _TYPES[rule.type]
    try:
        value = read_as(text)
    except (ValueError, ArithmeticError) as error:
        raise Refused(f"should be {expected}") from error
    _check_bounds(value, rule)
    return value


def _text(text: str, rule: Rule) -> str:
    if rule.sort:
        _SORTS[rule.sort](text)
    if rule.values and text not in rule.values:
        meant = nearest.of(text, rule.values)
        _refuse(f"should be {_listed(rule.values)}, not {nearest.shown(text)}", meant)
    for word in text.split("|") if rule.words else ():
        if word not in rule.words:
            meant = nearest.of(word, rule.words)
            _refuse(f"should hold {_listed(rule.words)}, joined with a bar", meant)
    return text


def _check_bounds(value: Value, rule: Rule) -> None:
    for word, limit in rule.bounds.items():
        if isinstance(value, int | float) and not _HOLDS[word](value, limit):
            raise Refused(f"should be {word.replace('_', ' ')} {limit:g}")


def _key(text: str) -> None:
    if not re.fullmatch("[a-z][a-z0-9_]*", text):
        _refuse(
            "should be a key of a to z, 0 to 9 and _ that starts with a letter, not "
            f"{nearest.shown(text)}",
            nearest.key(text),
        )
    _check_length(text)


def _check_length(text: str) -> None:
    """Keys and names of arms stand in names of columns and in what Heap is told."""
    if len(text) > LONGEST_KEY:
        raise Refused(f"has {len(text):,} signs and may have {LONGEST_KEY}")


def _zone(text: str) -> None:
    if text in zones.known():
        return
    meant = zones.suggestion(text)
    if "/" in text or meant:
        _refuse(f"should be a time zone of the IANA database, not {nearest.shown(text)}", meant)
    raise Refused(
        f"should be a time zone by its place, such as Europe/London, not {nearest.shown(text)}: "
        "abbreviations and offsets stand for several zones or for part of the year"
    )


def _currency(text: str) -> None:
    if not re.fullmatch("[A-Z]{3}", text):
        raise Refused("should be a currency by the three capitals of ISO 4217, such as USD")


def _word(text: str) -> None:
    """A name that goes into lists: what joins their parts may not be in it."""
    if text != text.strip(BLANKS) or not text.isprintable() or re.search("[|=]", text):
        raise Refused("should be a name without blanks round it, |, = or signs that do not show")
    _check_length(text)


def _message(text: str) -> None:
    if not re.fullmatch("(action|content|newsletter|transactional):[0-9]+", text):
        raise Refused("should be a message as fct_message_exposures names it, such as action:901")


def _csv_pattern(text: str) -> None:
    if not re.fullmatch(r"[^/\\]+\.csv(\.gz)?", text) or not text.isprintable():
        raise Refused(
            "should be the name of a file, without a folder, that ends in .csv or .csv.gz"
        )


def _refuse(sentence: str, meant: str | None) -> None:
    raise Refused(sentence + (f": write `{meant}`" if meant else ""))


def _listed(values: tuple[str, ...]) -> str:
    return values[0] if len(values) == 1 else f"{', '.join(values[:-1])} or {values[-1]}"


def _whole(text: str) -> int:
    """An id, a count or an index: none of them is below zero."""
    if not re.fullmatch("[0-9]{1,19}", text) or int(text) > BIGINT_MAX:
        raise ValueError
    return int(text)


def _number(text: str) -> float:
    if not re.fullmatch(_NUMBER, text) or not math.isfinite(float(text)):
        raise ValueError
    return float(text)


def _money(text: str) -> float:
    value = Decimal(text if re.fullmatch(_NUMBER, text) else "no number")
    if abs(value) >= 10**12 or value * 10**6 % 1:  # decimal(18, 6): no digit is cut off
        raise ValueError
    return float(value)


def _boolean(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError
    return text.lower() == "true"


def _instant(text: str) -> datetime:
    if not re.fullmatch(_TIME, text):
        raise ValueError
    value = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if value.year < FIRST_YEAR:
        raise ValueError
    return value.replace(tzinfo=None)


def _day(text: str) -> date:
    if not re.fullmatch(_DAY, text) or int(text[:4]) < FIRST_YEAR:
        raise ValueError
    return date.fromisoformat(text)


_TYPES: dict[str, tuple[str, Callable[[str], Value]]] = {
    "bigint": ("a whole number", _whole),
    "double": ("a number such as 0.5", _number),
    "decimal(18,6)": ("a number such as 0.5", _money),
    "boolean": ("true or false", _boolean),
    "timestamp": ("a date and time in UTC such as 2026-06-01T00:00:00", _instant),
    "date": ("a date such as 2026-06-01", _day),
}
_SORTS: dict[str, Callable[[str], None]] = {
    "key": _key,
    "zone": _zone,
    "currency": _currency,
    "word": _word,
    "message": _message,
    "csv_pattern": _csv_pattern,
}
_HOLDS: dict[str, Callable[[float, float], bool]] = {
    "at_least": operator.ge,
    "at_most": operator.le,
    "above": operator.gt,
    "below": operator.lt,
}
