"""What Heap allows and how patient we are: in one place, for tests and demos to raise."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pipelines import http

MAX_TEXT = 1023
"""Longest key, event name or value in characters (Heap: "fewer than 1024")."""

MIN_KEY = 8
"""Shortest idempotency key that every Heap surface accepts, in characters."""

HEAP_EVENTS_PER_MINUTE = 15_000
"""Heap's documented limit on bulk track, in events per app."""


HEAP_EVENTS_PER_IDENTITY_MINUTE = 1_000
"""The same, in events per identity."""


@dataclass(frozen=True)
class Limits:
    """Heap's limits and our patience. Source: Heap's bulk-track reference; see docs/publishing.md.

    `None` for a rate means no limit (the local Heap in benchmarks).
    """

    rows_per_call: int = 1_000
    bytes_per_call: int = 1_000_000
    events_per_minute: int | None = HEAP_EVENTS_PER_MINUTE
    events_per_identity_minute: int | None = HEAP_EVENTS_PER_IDENTITY_MINUTE
    canary_rows: int = 10
    attempts: int = http.PATIENT_ATTEMPTS
    backoff_seconds: float = http.FIRST_PAUSE_SECONDS
    longest_backoff_seconds: float = http.LONGEST_PAUSE_SECONDS
    longest_retry_after_seconds: float = 600.0
    timeout_seconds: float = http.EXCHANGE_SECONDS
    """For one exchange as a whole; see `http.EXCHANGE_SECONDS`."""


UNLIMITED = Limits(
    events_per_minute=None,
    events_per_identity_minute=None,
    backoff_seconds=0.02,
    longest_backoff_seconds=0.2,
    timeout_seconds=10.0,
)
"""For the local Heap whose own limits were raised."""


def _utc_now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


@dataclass(frozen=True)
class Clock:
    """The publisher's only clock: `now` in UTC without zone, `monotonic` and `sleep` in seconds."""

    now: Callable[[], datetime] = field(default=_utc_now)
    monotonic: Callable[[], float] = field(default=time.monotonic)
    sleep: Callable[[float], None] = field(default=time.sleep)
