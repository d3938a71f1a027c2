"""One bulk call to Heap: sent with patience, answered with one of three outcomes."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Self

import httpx

from pipelines.errors import CounterfoilError
from pipelines.heap.limits import Clock, Limits
from pipelines.heap.pacing import Pacer
from pipelines.heap.target import Target

PATHS = {"event": "/api/track", "user_properties": "/api/add_user_properties"}
LISTS = {"event": "events", "user_properties": "users"}
NARROWED = (400, 409, 413, 415, 422)
"""Answers that speak about the rows; other 4xx speak about the caller and stop the run."""

_INDEX = re.compile(r"(?:events|users)\[(\d+)\]")


@dataclass(frozen=True)
class Accepted:
    """Heap took the call (any 2xx)."""


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


Outcome = Accepted | Refused | Unanswered


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
        deadline: float | None = None,
        on_wait: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.target = target
        self.limits = limits
        self.clock = clock
        self.deadline = deadline
        self.on_wait = on_wait
        self.pacer = Pacer(limits, clock)
        self.count_calls = 0
        self.random = random.Random()
        self.http = httpx.Client(
            base_url=target.base_url,
            timeout=limits.timeout_seconds,
            headers={"Content-Type": "application/json", "User-Agent": "counterfoil"},
            follow_redirects=False,
        )

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
        """Wait until the limits let these rows out."""
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
        """Send one call; retry 429, 5xx and broken connections under the same keys.

        Raises:
            CounterfoilError: an answer that no retry and no other row can change.
            TimeIsUp: the time box ended while waiting; Heap may or may not have the rows.
        """
        body = self._body(kind, rows)
        last: Outcome = Unanswered(None, "no attempt was made")
        most = attempts or self.limits.attempts
        for attempt in range(1, most + 1):
            self.wait(identities)
            self.pacer.spend(identities)
            self.count_calls += 1
            try:
                answer = self.http.post(PATHS[kind], content=body)
            except httpx.TransportError as error:
                last = Unanswered(None, type(error).__name__)
                pause = self._backoff(attempt)
            else:
                last, pause = self._read(answer, attempt)
                if not isinstance(last, Unanswered):
                    return last
            if attempt < most:
                self._sleep(pause)
        return last

    def _body(self, kind: str, rows: Sequence[bytes]) -> bytes:
        start = f'{{"app_id":"{self.target.app_id}","{LISTS[kind]}":['.encode()
        return start + b",".join(rows) + b"]}"

    def _read(self, answer: httpx.Response, attempt: int) -> tuple[Outcome, float]:
        status = answer.status_code
        if answer.is_success:
            self.pacer.speed_up()
            return Accepted(), 0.0
        if status == 429:
            self.pacer.slow_down()
            return Unanswered(status, "too many requests"), self._retry_after(answer, attempt)
        if status >= 500 or status == 408:
            return Unanswered(status, f"status {status}"), self._retry_after(answer, attempt)
        text = answer.text[:2000]
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
                f"Heap asks to come back in {asked / 60:.0f} minutes: run `counterfoil publish` again "
                "then; it resumes where it stopped."
            )
        return asked

    def _backoff(self, attempt: int) -> float:
        """Full jitter over an exponentially growing, bounded pause; never nothing."""
        most = min(
            self.limits.backoff_seconds * 2 ** (attempt - 1), self.limits.longest_backoff_seconds
        )
        return float(most * (0.5 + self.random.random() / 2))

    def _sleep(self, seconds: float) -> None:
        if self.deadline is not None and self.clock.monotonic() + seconds > self.deadline:
            raise TimeIsUp
        if seconds > 2:
            self.on_wait(f"waiting {seconds:.0f} s for Heap's limits")
        self.clock.sleep(seconds)


def parse_retry_after(header: str | None, now: datetime) -> float | None:
    """Seconds that a `Retry-After` header asks for (both forms), or None when it says nothing useful."""
    if not header:
        return None
    if header.strip().isdigit():
        return float(header.strip())
    try:
        when = parsedate_to_datetime(header)
    except ValueError:
        return None
    zoned = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max((zoned.astimezone(UTC).replace(tzinfo=None) - now).total_seconds(), 0.0)


def _stop_sentence(status: int, target: Target) -> str:
    if status in (401, 403):
        return (
            f"Heap does not let {target.label} in (status {status}): check HEAP_APP_ID, HEAP_REGION "
            "and any proxy in HEAP_URL."
        )
    if status == 404 or status < 400:
        return (
            f"There is no Heap API at the configured address (status {status}): check HEAP_URL and "
            "HEAP_REGION."
        )
    return f"Heap refused the call for {target.label} (status {status}): check the settings."
