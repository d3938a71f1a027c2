"""What the local Heap knows: its limits, its faults, and what it was asked."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from pipelines.sandbox.listings import Listings
from pipelines.sandbox.store import Deletions, Store
from pipelines.sandbox.workspace import Workspace


@dataclass(frozen=True)
class SandboxLimits:
    """Heap's own limits; None for none. Rows, bytes, events a minute."""

    events_per_minute: int | None = 15_000
    events_per_identity_minute: int | None = 1_000
    max_bytes: int = 1_048_576
    retry_after_seconds: float | None = None


@dataclass
class Fault:
    """A misbehaviour for the next `times` calls of ingestion (after `skip` good ones).

    kind: error (status `status`, nothing stored), error_after (stored, then status `status`),
    reset (connection cut, nothing stored), commit_then_reset, slow (answers after `seconds`),
    commit_then_timeout (stored, answers after `seconds`), drop_rows (every second row is silently
    not stored), throttle (429), poison (any call with `match` in a row is refused with `status`
    and `text`, as often as it comes), intercepted (something in front of Heap answers with
    `status`, `text`, `content_type` and `encoding`, nothing stored), commit_then_intercepted (the
    same, but Heap stored the call).
    """

    kind: str
    times: int = 1
    skip: int = 0
    status: int = 500
    seconds: float = 0.2
    match: str = ""
    text: str = "Bad Request"
    content_type: str = "text/plain"
    encoding: str = "identity"
    retry_after: str | None = None


FAULTS = (
    "error", "error_after", "reset", "commit_then_reset", "slow", "commit_then_timeout",
    "drop_rows", "throttle", "poison", "intercepted", "commit_then_intercepted",
)  # fmt: skip


@dataclass
class Call:
    """One ingestion call as it arrived: path, app, rows, bytes, answer."""

    path: str
    app_id: str
    count_rows: int
    count_bytes: int
    status: int
    at: float


@dataclass
class SandboxState:
    """Everything the sandbox knows; guarded by `lock`."""

    limits: SandboxLimits
    known_apps: frozenset[str] | None
    api_key: str
    keep_properties: bool
    now: Callable[[], datetime]
    lock: threading.Lock = field(default_factory=threading.Lock)
    stores: dict[str, Store] = field(default_factory=dict)
    deletions: Deletions = field(default_factory=Deletions)
    faults: list[Fault] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    windows: dict[str, deque[tuple[float, Counter[str]]]] = field(default_factory=dict)
    arrivals: int = 0
    customerio: Workspace = field(default_factory=Workspace)
    listings: Listings = field(default_factory=Listings)

    def store(self, app_id: str) -> Store | None:
        """The store of an app; None for an app Heap does not know (its data vanishes)."""
        if self.known_apps is not None and app_id not in self.known_apps:
            return None
        return self.stores.setdefault(app_id, Store(keep_properties=self.keep_properties))
