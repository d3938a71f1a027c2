"""One bulk call to Heap: sent with patience, answered with one of four outcomes."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Self

import httpx

from pipelines import http
from pipelines.errors import CounterfoilError
from pipelines.heap.limits import Clock, Limits
from pipelines.heap.pacing import Pacer
from pipelines.heap.target import Target

PATHS = {"event": "/api/track", "user_properties": "/api/add_user_properties"}
JSON = {"Content-Type": "application/json"}
LISTS = {"event": "events", "user_properties": "users"}
NARROWED = (400, 409, 413, 415, 422)
"""Answers that speak about the rows; other 4xx speak about the caller and stop the run."""

RECEIPT_STATUS = 200
RECEIPT_BODY: dict[str, object] = {}
"""The one answer that acknowledges a call: status 200 and an empty JSON object.

Confirmed: Heap's references of track, of add user properties and of their bulk forms. What any
other 2xx, or an object that holds something, would mean is open: it is uncertain, never a receipt.
"""

_INDEX = re.compile(r"(?:events|users)\[(\d{1,9})\]", re.ASCII)
_SECONDS = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True)
class Accepted:
    """Heap took the call: the documented answer."""


@dataclass(frozen=True)
class Refused:
    """Heap refused the call's rows: the status, its text, and the row numbers the text names."""

    status: int
    text: str
    indexes: tuple[int, ...]


@dataclass(frozen=True)
class Unanswered:
    """Heap gave no usable answer in all attempts: 5xx, or a broken or silent connection."""

    status: int | None
    text: str


@dataclass(frozen=True)
class Uncertain:
    """Something answered that is not Heap as documented: Heap may or may not have the rows.

    `status` is None for an answer that could not be decoded; `text` says what it looks like and
    holds nothing of it.
    """

    status: int | None
    text: str


Outcome = Accepted | Refused | Unanswered | Uncertain


class TimeIsUp(Exception):
    """The time box ended before the next call."""


class HeapClient:
    """Sends calls to one target, paced, with backoff. Use as a context manager."""

    def __init__(
        self,
        target: Target,
        limits: Limits,
        clock: Clock,
        *,
        uncertain_answers: int,
        deadline: float | None = None,
        on_wait: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.target = target
        self.limits = limits
        self.clock = clock
        self.uncertain_answers = uncertain_answers
        self.deadline = deadline
        self.on_wait = on_wait
        self.pacer = Pacer(limits, clock)
        self.count_calls = 0
        self.count_uncertain = 0
        self.uncertain_in_a_row = 0
        self.last_uncertain: Uncertain | None = None
        self.random = random.Random()
        self.http = http.Caller(target.base_url, seconds=limits.timeout_seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.http.close()

    def wait(self, identities: Mapping[str, int]) -> None:
        """Wait until the limits let these rows out.

        Raises:
            TimeIsUp: the time box ends before.
        """
        self._time_left()
        while (delay := self.pacer.delay(identities)) > 0:
            self._sleep(delay)

    def send(
        self,
        kind: str,
        rows: Sequence[bytes],
        identities: Mapping[str, int],
        *,
        attempts: int | None = None,
    ) -> Outcome:
        """Send one call; retry 429, 5xx, broken connections and strange answers, same keys.

        Uncertain, once so many strange answers came in a row, or when the last attempt failed and
        one before it was answered strangely.

        Raises:
            CounterfoilError: an answer that no retry and no other row can change.
            TimeIsUp: the time box ended, be it in the middle of an answer; Heap may or may not
                have the rows.
        """
        body = self._body(kind, rows)
        most = attempts or self.limits.attempts
        strange: Uncertain | None = None
        count_unanswered = 0
        while True:
            self.wait(identities)
            self.pacer.spend(identities)
            self.count_calls += 1
            outcome, pause = self._ask(kind, body, 1 + count_unanswered + self.uncertain_in_a_row)
            if isinstance(outcome, Accepted | Refused):
                return outcome
            if isinstance(outcome, Uncertain):
                strange = outcome
                if self.uncertain_in_a_row >= self.uncertain_answers:
                    return outcome
            else:
                count_unanswered += 1
                if count_unanswered >= most:
                    return strange or outcome
            self._sleep(pause)

    def _ask(self, kind: str, body: bytes, attempt: int) -> tuple[Outcome, float]:
        """One attempt: its outcome, and how long to wait before the next one (seconds)."""
        try:
            answer = self.http.ask(
                "POST", PATHS[kind], seconds=self._time_left(), content=body, headers=JSON
            )
        except http.TookTooLong:
            self._time_left()
            return Unanswered(None, "no answer in time"), self._backoff(attempt)
        except httpx.TransportError as error:
            return Unanswered(None, type(error).__name__), self._backoff(attempt)
        except httpx.DecodingError as error:
            is_large = isinstance(error, http.AnswerTooLarge)
            said = "an answer that is too large" if is_large else "an answer that cannot be decoded"
            outcome: Outcome = Uncertain(None, said)
            pause = self._backoff(attempt)
        else:
            outcome, pause = self._read(answer, attempt)
        if isinstance(outcome, Accepted):
            self.uncertain_in_a_row = 0
        elif isinstance(outcome, Uncertain):
            self.count_uncertain += 1
            self.uncertain_in_a_row += 1
            self.last_uncertain = outcome
        return outcome, pause

    def _body(self, kind: str, rows: Sequence[bytes]) -> bytes:
        start = f'{{"app_id":"{self.target.app_id}","{LISTS[kind]}":['.encode()
        return start + b",".join(rows) + b"]}"

    def _read(self, answer: httpx.Response, attempt: int) -> tuple[Outcome, float]:
        status = answer.status_code
        if is_receipt(answer):
            self.pacer.speed_up()
            return Accepted(), 0.0
        if answer.is_success:
            return Uncertain(status, describe(answer)), self._backoff(attempt)
        if status == 429:
            self.pacer.slow_down()
            return Unanswered(status, "too many requests"), self._retry_after(answer, attempt)
        if status >= 500 or status == 408:
            return Unanswered(status, f"status {status}"), self._retry_after(answer, attempt)
        # whatever charset it claims: only our log and the names of rows are read from it
        text = answer.content.decode("utf-8", "replace")[:2000]
        if status in NARROWED:
            found = tuple(dict.fromkeys(int(n) for n in _INDEX.findall(text)))
            return Refused(status, text, found), 0.0
        raise CounterfoilError(_stop_sentence(status, self.target))

    def _retry_after(self, answer: httpx.Response, attempt: int) -> float:
        asked = parse_retry_after(answer.headers.get("Retry-After"), self.clock.now())
        if asked is None:
            return self._backoff(attempt)
        if asked > self.limits.longest_retry_after_seconds:
            raise CounterfoilError(
                f"Heap asks to come back in {asked / 60:,.0f} minutes: run `counterfoil publish` "
                "again then; it resumes where it stopped."
            )
        return asked

    def _backoff(self, attempt: int) -> float:
        """Full jitter over an exponentially growing, bounded pause; never nothing."""
        limits = self.limits
        most = http.pause(attempt, limits.backoff_seconds, limits.longest_backoff_seconds)
        return float(most * (0.5 + self.random.random() / 2))

    def _time_left(self) -> float | None:
        """Seconds of the time box, which the other side cannot lengthen; None without one."""
        if self.deadline is None:
            return None
        left = self.deadline - self.clock.monotonic()
        if left <= 0:
            raise TimeIsUp
        return left

    def _sleep(self, seconds: float) -> None:
        if self.deadline is not None and self.clock.monotonic() + seconds > self.deadline:
            raise TimeIsUp
        if seconds > 2:
            self.on_wait(f"waiting {seconds:.0f} s for Heap's limits")
        self.clock.sleep(seconds)


def is_receipt(answer: httpx.Response) -> bool:
    """Whether this is what Heap answers to a call it took; see `RECEIPT_BODY`."""
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


def _json(answer: httpx.Response) -> object:
    """The body as JSON; None when it is none."""
    try:
        found: object = json.loads(answer.content.decode())
    except (ValueError, RecursionError):
        return None
    return found


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


def _stop_sentence(status: int, target: Target) -> str:
    if status in (401, 403):
        return (
            f"Heap does not let {target.label} in (status {status}): check HEAP_APP_ID, "
            "HEAP_REGION and any proxy in HEAP_URL."
        )
    if status == 404 or status < 400:
        return (
            f"There is no Heap API at the configured address (status {status}): check HEAP_URL and "
            "HEAP_REGION."
        )
    return f"Heap refused the call for {target.label} (status {status}): check the settings."
