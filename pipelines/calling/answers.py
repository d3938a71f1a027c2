"""What came of a call: one of four outcomes, and how an answer is read."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

RECEIPT_STATUS = 200
RECEIPT_BODY: dict[str, object] = {}
"""The one answer that acknowledges a call: status 200 and an empty JSON object.

Confirmed: Heap's references of track, of add user properties and of their bulk forms; Customer.io's
of manual segments. What any other 2xx, or an object that holds something, would mean is open: it is
uncertain, never a receipt.
"""

_SECONDS = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True)
class Accepted:
    """The call was taken: the documented answer."""


@dataclass(frozen=True)
class Refused:
    """The call's rows were refused: the status, its text, and the row numbers the text names."""

    status: int
    text: str
    indexes: tuple[int, ...] = ()


@dataclass(frozen=True)
class Unanswered:
    """There was no usable answer in all attempts: 5xx, or a broken or silent connection."""

    status: int | None
    text: str


@dataclass(frozen=True)
class Uncertain:
    """Something answered that is not the system as documented: it may or may not have the rows.

    `status` is None for an answer that could not be decoded; `text` says what it looks like and
    holds nothing of it.
    """

    status: int | None
    text: str


Outcome = Accepted | Refused | Unanswered | Uncertain


class TimeIsUp(Exception):
    """The time box ended before the next call."""


def is_receipt(answer: httpx.Response) -> bool:
    """Whether this is what is answered to a call that was taken; see `RECEIPT_BODY`."""
    return answer.status_code == RECEIPT_STATUS and _json(answer) == RECEIPT_BODY


def describe(answer: httpx.Response) -> str:
    """What an answer looks like, in words of ours: nothing of it is repeated."""
    body = answer.content.strip()
    if not body:
        return f"status {answer.status_code}, empty"
    if body.startswith(b"<"):
        return f"status {answer.status_code}, a web page"
    if _json(answer) is None:
        return f"status {answer.status_code}, no JSON"
    return f"status {answer.status_code}, JSON with other content"


def parse_retry_after(header: str | None, now: datetime) -> float | None:
    """Seconds that a `Retry-After` header asks for (both forms); None when it says nothing."""
    said = (header or "").strip()
    if _SECONDS.fullmatch(said):
        return float(said)
    try:
        when = parsedate_to_datetime(said)
        zoned = when if when.tzinfo else when.replace(tzinfo=UTC)
        at = zoned.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, TypeError, IndexError, OverflowError):  # no date, or one of no calendar
        return None
    return max((at - now).total_seconds(), 0.0)


def _json(answer: httpx.Response) -> object:
    """The body as JSON; None when it is none."""
    try:
        found: object = json.loads(answer.content.decode())
    except (ValueError, RecursionError):
        return None
    return found
