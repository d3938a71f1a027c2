"""What Heap allows and how patient we are: in one place, for tests and demos to raise."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.calling.clock import Clock
from pipelines.calling.patience import Patience

__all__ = ["Clock"]

MAX_TEXT = 1023
"""Longest key, event name or value in characters (Heap: "fewer than 1024")."""

MIN_KEY = 8
"""Shortest idempotency key that every Heap surface accepts, in characters."""

HEAP_EVENTS_PER_MINUTE = 15_000
"""Heap's documented limit on bulk track, in events per app."""


HEAP_EVENTS_PER_IDENTITY_MINUTE = 1_000
"""The same, in events per identity."""


@dataclass(frozen=True)
class Limits(Patience):
    """Heap's limits and our patience. Source: Heap's bulk-track reference; see docs/publishing.md.

    `None` for a rate means no limit (the local Heap in benchmarks).
    """

    rows_per_call: int = 1_000
    bytes_per_call: int = 1_000_000
    events_per_minute: int | None = HEAP_EVENTS_PER_MINUTE
    events_per_identity_minute: int | None = HEAP_EVENTS_PER_IDENTITY_MINUTE
    canary_rows: int = 10


UNLIMITED = Limits(
    events_per_minute=None,
    events_per_identity_minute=None,
    backoff_seconds=0.02,
    longest_backoff_seconds=0.2,
    timeout_seconds=10.0,
)
"""For the local Heap whose own limits were raised."""
