"""How fast: a token bucket on events, a minute's window per identity, slower on 429."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from typing import Protocol

from pipelines.calling.clock import Clock

WINDOW_SECONDS = 60.0


class Rates(Protocol):
    """How many events may go at once, in a minute, and in a minute for one identity."""

    @property
    def rows_per_call(self) -> int:
        """The most that go at once."""

    @property
    def events_per_minute(self) -> int | None:
        """None for any number."""

    @property
    def events_per_identity_minute(self) -> int | None:
        """None for any number."""


class Pacer:
    """Says how long to wait before the next call. Counts events, not calls.

    The bucket smooths the sending; the window of the last minute keeps both limits exactly, for all
    and for each identity. A 429 halves the bucket's rate; every accepted call gives a
    twentieth back.
    """

    def __init__(self, limits: Rates, clock: Clock) -> None:
        self.limits = limits
        self.clock = clock
        self.full_rate = (limits.events_per_minute or 0) / WINDOW_SECONDS
        self.rate = self.full_rate
        self.tokens = float(limits.rows_per_call)
        self.filled_at = clock.monotonic()
        self.window: deque[tuple[float, int, Mapping[str, int]]] = deque()
        self.in_window: Counter[str] = Counter()
        self.count_in_window = 0

    def delay(self, identities: Mapping[str, int]) -> float:
        """Seconds until a call with these rows per identity may go out; 0 for now."""
        now = self.clock.monotonic()
        count = sum(identities.values())
        self._refill(now)
        self._slide(now)
        waits = [0.0]
        if self.full_rate:
            waits.append((count - self.tokens) / self.rate)
            waits.append(self._window_wait(now, count))
        if self.limits.events_per_identity_minute:
            waits.append(self._identity_wait(now, identities))
        longest = max(waits)
        # a float that is not quite nothing must still move the clock
        return max(longest, 0.001) if longest > 0 else 0.0

    def spend(self, identities: Mapping[str, int]) -> None:
        """A call with these rows goes out now."""
        now = self.clock.monotonic()
        count = sum(identities.values())
        self._refill(now)
        self.tokens -= count
        if self.full_rate or self.limits.events_per_identity_minute:
            self.window.append((now, count, identities))
            self.in_window.update(identities)
            self.count_in_window += count

    def slow_down(self) -> None:
        """The answer was 429: half the rate, never less than an eighth of the full one."""
        self.rate = max(self.rate / 2, self.full_rate / 8)
        self.tokens = min(self.tokens, 0.0)

    def speed_up(self) -> None:
        """The call was taken: a twentieth of the full rate back."""
        self.rate = min(self.rate + self.full_rate / 20, self.full_rate)

    def _refill(self, now: float) -> None:
        most = float(self.limits.rows_per_call)
        self.tokens = min(most, self.tokens + (now - self.filled_at) * self.rate)
        self.filled_at = now

    def _slide(self, now: float) -> None:
        while self.window and self.window[0][0] <= now - WINDOW_SECONDS:
            _, count, identities = self.window.popleft()
            self.count_in_window -= count
            self.in_window.subtract(identities)
            for identity in identities:
                if not self.in_window[identity]:
                    del self.in_window[identity]

    def _window_wait(self, now: float, count: int) -> float:
        excess = self.count_in_window + count - (self.limits.events_per_minute or 0)
        for sent_at, rows, _ in self.window:
            if excess <= 0:
                return 0.0
            excess -= rows
            if excess <= 0:
                return sent_at + WINDOW_SECONDS - now
        return 0.0

    def _identity_wait(self, now: float, identities: Mapping[str, int]) -> float:
        most = self.limits.events_per_identity_minute or 0
        waits = [0.0]
        for identity, count in identities.items():
            excess = self.in_window[identity] + count - most
            if excess <= 0:
                continue
            for sent_at, _, rows in self.window:
                excess -= rows.get(identity, 0)
                if excess <= 0:
                    waits.append(sent_at + WINDOW_SECONDS - now)
                    break
        return max(waits)
